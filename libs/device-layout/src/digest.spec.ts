import { ConfigSpace } from '@cadastre/config-space';
import { Digest } from './digest.js';

describe('a digest', () => {
  it('is the SHA-256 of the bytes, named after its algorithm', () => {
    expect(Digest.of(new Uint8Array())).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(Digest.of('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('is of the bytes of a config space that were captured', () => {
    const captured = Uint8Array.from({ length: 0x110 }, (_, index) => index & 0xff);
    const cut = ConfigSpace.fromCapture(captured);
    const whole = ConfigSpace.from(new Uint8Array(256).fill(7));
    if (!cut.ok || !whole.ok) throw new Error('both are config spaces');
    expect(Digest.ofSpace(cut.value)).toBe(Digest.of(captured));
    expect(Digest.ofSpace(whole.value)).toBe(Digest.of(new Uint8Array(256).fill(7)));
  });

  it('takes text as its UTF-8 bytes', () => {
    expect(Digest.of('\u00e9')).toBe(Digest.of(Uint8Array.of(0xc3, 0xa9)));
  });
});
