import { ByteRange } from './byte-range.js';

const range = (offset: number, length: number): ByteRange => ({ offset, length });

describe('ByteRange', () => {
  it('ends behind its last byte', () => {
    expect(ByteRange.end(range(0x148, 8))).toBe(0x150);
  });

  it('does not overlap a range it only touches', () => {
    expect(ByteRange.overlaps(range(0x100, 8), range(0x108, 8))).toBe(false);
    expect(ByteRange.overlaps(range(0x108, 8), range(0x100, 8))).toBe(false);
  });

  it('overlaps a range that shares one byte, whichever is asked', () => {
    expect(ByteRange.overlaps(range(0x100, 8), range(0x107, 8))).toBe(true);
    expect(ByteRange.overlaps(range(0x107, 8), range(0x100, 8))).toBe(true);
  });

  it('contains itself and what lies inside, not what sticks out', () => {
    expect(ByteRange.contains(range(0x100, 8), range(0x100, 8))).toBe(true);
    expect(ByteRange.contains(range(0x100, 8), range(0x104, 4))).toBe(true);
    expect(ByteRange.contains(range(0x100, 8), range(0x104, 5))).toBe(false);
    expect(ByteRange.contains(range(0x100, 8), range(0xff, 2))).toBe(false);
  });

  it('is shown by its first and last byte', () => {
    expect(ByteRange.show(range(0x148, 8))).toBe('0x148..0x14f');
  });
});
