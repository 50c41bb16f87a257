import { type ByteRange } from './byte-range.js';
import { type CapabilityRow } from './catalogue/capability-row.js';
import { type LinkedCapability } from './walk-capabilities.js';

/** A linked capability with the bytes it holds. */
export interface Capability extends LinkedCapability {
  readonly row: CapabilityRow;
  /**
   * Bytes from the first header byte: the length its registers tell, or, when `opaque`, everything up to
   * the next start in offset order, or to the end of its space (reading B).
   */
  readonly length: number;
  readonly opaque: boolean;
}

/** A structure's end in whole DWORDs: one starts on a DWORD, so nothing can start inside a last part of one. */
export function occupiedEnd(range: ByteRange): number {
  return (range.offset + range.length + 3) & ~3;
}

/** The bytes of all capabilities in whole DWORDs, in order of their start. They may overlap. */
export function occupiedRanges(capabilities: readonly Capability[]): readonly ByteRange[] {
  return capabilities
    .map((one) => ({ offset: one.offset, length: occupiedEnd(one) - one.offset }))
    .sort((a, b) => a.offset - b.offset);
}
