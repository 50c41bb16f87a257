import { type ByteRange } from './byte-range.js';
import { type Capability, occupiedRanges } from './capability.js';
import { type ConfigSpace, headerSizeBytes } from './config-space.js';

/** A run of bytes that neither the header nor a linked capability holds. */
export interface Gap extends ByteRange {
  /** Every byte was captured and read zero. Evidence, not proof: registers can read zero. */
  readonly zero: boolean;
}

export interface GapScan {
  readonly gaps: readonly Gap[];
  /** Offsets of the DWORDs in gaps that are not zero, ascending. */
  readonly strayDwords: readonly number[];
}

/** Everything between the header and the linked capabilities, whose lengths count in whole DWORDs. */
export function scanGaps(space: ConfigSpace, capabilities: readonly Capability[]): GapScan {
  const gaps: Gap[] = [];
  const strayDwords: number[] = [];
  const close = (offset: number, end: number): void => {
    if (end <= offset) return;
    const before = strayDwords.length;
    for (let at = space.nonZeroFrom(offset, end); at < end; at = space.nonZeroFrom(at + 4, end)) strayDwords.push(at);
    const length = end - offset;
    gaps.push({ offset, length, zero: strayDwords.length === before && space.captured(offset, length) });
  };
  let at = headerSizeBytes;
  for (const owned of occupiedRanges(capabilities)) {
    close(at, owned.offset);
    at = Math.max(at, owned.offset + owned.length);
  }
  close(at, space.size);
  return { gaps, strayDwords };
}
