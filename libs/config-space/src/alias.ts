import { type ByteRange } from './byte-range.js';
import { type ConfigSpace, extendedSpaceAt, headerSizeBytes } from './config-space.js';

/**
 * Where the low space is seen again (reading F6): devices that decode too few address bits. When the header
 * repeats at every multiple of a power of two, everything from there on is that repetition; otherwise only the
 * 256-byte pages that begin with the same 64 bytes are.
 */
export function aliasesOf(space: ConfigSpace): readonly ByteRange[] {
  const identity = space.u32(0);
  if (identity === 0 || identity === 0xffffffff) return [];
  const pages: ByteRange[] = [];
  for (let page = extendedSpaceAt; page < space.size; page += extendedSpaceAt) {
    if (space.u32(page) === identity && sameHeader(space, page)) {
      pages.push({ offset: page, length: extendedSpaceAt });
    }
  }
  const period = pages[0]?.offset;
  if (period === undefined || !isPowerOfTwo(period)) return pages;
  const repeats = pages.filter((page) => page.offset % period === 0).length;
  if (repeats !== space.size / period - 1) return pages;
  return [{ offset: period, length: space.size - period }];
}

function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0;
}

function sameHeader(space: ConfigSpace, page: number): boolean {
  if (!space.captured(page, headerSizeBytes)) return false;
  for (let offset = 0; offset < headerSizeBytes; offset += 4) {
    if (space.u32(offset) !== space.u32(page + offset)) return false;
  }
  return true;
}
