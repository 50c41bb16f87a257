import { type ConfigOffset } from './config-offset.js';
import { ConfigSpace } from './config-space.js';

const counting = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, (_, index) => index & 0xff);

function spaceOf(bytes: Uint8Array): ConfigSpace {
  const given = ConfigSpace.fromCapture(bytes);
  if (!given.ok) throw new Error(given.refusal.limit);
  return given.value;
}

describe('a whole config space', () => {
  it.each([0, 64, 255, 257, 4095, 4097])('refuses %i bytes with the number and the limit', (sizeBytes) => {
    expect(ConfigSpace.from(new Uint8Array(sizeBytes))).toEqual({
      ok: false, refusal: { kind: 'not-a-config-space', sizeBytes, limit: '256 or 4096 bytes' },
    });
  });

  it.each([256, 4096])('takes %i bytes', (sizeBytes) => {
    const given = ConfigSpace.from(counting(sizeBytes));
    expect(given.ok && [given.value.size, given.value.isWhole, given.value.hasExtendedSpace])
      .toEqual([sizeBytes, true, sizeBytes === 4096]);
  });
});

describe('a capture that may have stopped early', () => {
  it.each([0, 63, 4097])('refuses %i bytes with the number and the limit', (sizeBytes) => {
    expect(ConfigSpace.fromCapture(new Uint8Array(sizeBytes))).toEqual({
      ok: false, refusal: { kind: 'not-a-config-space', sizeBytes, limit: '64 to 4096 bytes' },
    });
  });

  it.each([[64, 256], [256, 256], [257, 4096], [272, 4096], [4096, 4096]])(
    'of %i bytes comes from a function of %i', (captured, size) => {
      const space = spaceOf(counting(captured));
      expect([space.size, space.capturedBytes, space.isWhole]).toEqual([size, captured, captured === size]);
    });

  it.each([0x110, 4096])('lends the %i bytes that were captured, and no others', (captured) => {
    expect(spaceOf(counting(captured)).withBytes((bytes) => [...bytes])).toEqual([...counting(captured)]);
  });

  it('knows which bytes were captured and reads the others as zero', () => {
    const space = spaceOf(counting(0x110));
    expect(space.captured(0x10c, 4)).toBe(true);
    expect(space.captured(0x10d, 4)).toBe(false);
    expect(space.captured(-1, 1)).toBe(false);
    expect(space.u32(0x110)).toBe(0);
    expect(space.toBytes()).toEqual(counting(0x110));
  });

  it('hands out as many bytes as it is asked for, zeros behind the captured ones', () => {
    const space = spaceOf(counting(0x110));
    expect(space.toBytes(0x40)).toEqual(counting(0x40));
    expect([space.toBytes(0x1000).length, space.toBytes(0x1000)[0x10f], space.toBytes(0x1000)[0x110]])
      .toEqual([0x1000, 0x0f, 0]);
  });
});

describe('reading registers', () => {
  const space = spaceOf(counting(256));

  it('is little endian and unsigned', () => {
    expect([space.u8(0xff), space.u16(0xfe), space.u32(0xfc)]).toEqual([0xff, 0xfffe, 0xfffefdfc]);
  });

  it('throws on an offset outside the space, which is a bug of the caller', () => {
    expect(() => space.u32(0xfd)).toThrow(RangeError);
    expect(() => space.u8(-1)).toThrow(RangeError);
    expect(() => space.u8(256)).toThrow(RangeError);
  });

  it('finds the first DWORD that is not zero', () => {
    const bytes = new Uint8Array(256);
    bytes[0x83] = 1;
    const sparse = spaceOf(bytes);
    expect(sparse.nonZeroFrom(0x40, 0x100)).toBe(0x80);
    expect(sparse.nonZeroFrom(0x84, 0x100)).toBe(0x100);
    expect(sparse.nonZeroFrom(0x40, 0x80)).toBe(0x80);
  });
});

describe('immutability', () => {
  it('keeps its own copy of what it was made of', () => {
    const given = counting(256);
    const capture = spaceOf(given);
    const whole = ConfigSpace.from(given);
    given[0x10] = 0xaa;
    expect(capture.u8(0x10)).toBe(0x10);
    expect(whole.ok && whole.value.u8(0x10)).toBe(0x10);
  });

  it('takes a buffer away from whoever made it, so that nobody can edit it', () => {
    const given = counting(256);
    const space = ConfigSpace.takeOver(given);
    expect([space.size, space.capturedBytes, space.u8(0xff)]).toEqual([256, 256, 0xff]);
    given[0x10] = 0xaa;
    expect([given.length, space.u8(0x10)]).toEqual([0, 0x10]);
  });

  it.each([[64, 256], [256, 256], [0x110, 4096]])(
    'takes the first %i bytes of a buffer over as a capture of a function of %i', (captured, size) => {
      const space = ConfigSpace.takeOver(counting(4096).subarray(0, captured));
      expect(space.equals(spaceOf(counting(captured)))).toBe(true);
      expect([space.size, space.toBytes(size).lastIndexOf(0xff)]).toEqual([size, captured < 256 ? -1 : 0xff]);
    });

  it.each([[0, 63], [0, 4097], [1, 257]])('takes over no buffer from byte %i to %i, which is a bug', (from, end) => {
    expect(() => ConfigSpace.takeOver(counting(8192).subarray(from, end))).toThrow(/are not a config space/);
  });

  it('hands out copies of its bytes', () => {
    const space = spaceOf(counting(256));
    space.toBytes()[0x10] = 0xaa;
    expect(space.u8(0x10)).toBe(0x10);
  });

  it('is not touched by a patch: the original and the patched space are two', () => {
    const space = spaceOf(counting(256));
    const patched = space.patched([{ offset: 0x40 as ConfigOffset, mask: 0xff0000ff, value: 0xa5ffffa5 }]);
    expect(space.u32(0x40)).toBe(0x43424140);
    expect(patched.u32(0x40)).toBe(0xa54241a5);
    expect(patched.u32(0x44)).toBe(space.u32(0x44));
  });

  it('applies patches in order, the last one winning its bits', () => {
    const offset = 0x40 as ConfigOffset;
    const patched = spaceOf(counting(256)).patched([
      { offset, mask: 0xffffffff, value: 0x11111111 }, { offset, mask: 0x0000ffff, value: 0x2222 },
    ]);
    expect(patched.u32(0x40)).toBe(0x11112222);
  });

  it('is equal to a space of the same bytes, size and captured length only', () => {
    const space = spaceOf(counting(256));
    expect(space.equals(spaceOf(counting(256)))).toBe(true);
    expect(space.equals(spaceOf(counting(255)))).toBe(false);
    expect(space.equals(spaceOf(counting(4096)))).toBe(false);
    expect(space.equals(space.patched([{ offset: 0xfc as ConfigOffset, mask: 1, value: 1 }]))).toBe(false);
  });
});
