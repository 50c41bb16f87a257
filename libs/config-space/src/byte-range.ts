/** A run of bytes of one config space: `offset` of the first byte, `length` in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export const ByteRange = {
  /** The offset behind the last byte. */
  end(range: ByteRange): number {
    return range.offset + range.length;
  },

  overlaps(one: ByteRange, other: ByteRange): boolean {
    return one.offset < ByteRange.end(other) && other.offset < ByteRange.end(one);
  },

  contains(outer: ByteRange, inner: ByteRange): boolean {
    return outer.offset <= inner.offset && ByteRange.end(inner) <= ByteRange.end(outer);
  },

  /** `0x148..0x14f`, as people write it: first and last byte. */
  show(range: ByteRange): string {
    const padded = (at: number): string => `0x${at.toString(16).padStart(2, '0')}`;
    return `${padded(range.offset)}..${padded(ByteRange.end(range) - 1)}`;
  },
};
