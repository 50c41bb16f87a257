import { Digest } from './digest.js';

describe('a digest', () => {
  it('is the SHA-256 of the bytes, named after its algorithm', () => {
    expect(Digest.of(new Uint8Array())).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(Digest.of('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('takes text as its UTF-8 bytes', () => {
    expect(Digest.of('\u00e9')).toBe(Digest.of(Uint8Array.of(0xc3, 0xa9)));
  });
});
