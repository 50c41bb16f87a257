import { type ByteRange, type CapabilitySpace, type ConfigSpace } from '@cadastre/config-space';

/** One BAR as its register tells it. */
export interface BaseAddress {
  readonly bar: number;
  /** Bit 0: I/O. Of memory bits 2:1, its width, and bit 3, prefetchable. */
  readonly kind: number;
  /** Whether anything is there: a 32-bit memory BAR without an address reads like none at all. */
  readonly isUsed: boolean;
}

/** The BARs of a header, or of an SR-IOV capability. PCI Local Bus Specification, "Base Address Registers". */
export function baseAddresses(space: ConfigSpace, at: number, count: number): readonly BaseAddress[] {
  const found: BaseAddress[] = [];
  for (let bar = 0; bar < count; bar += 1) {
    const value = space.u32(at + 4 * bar);
    const kind = value & ((value & 1) === 1 ? 0x1 : 0xf);
    found.push({ bar, kind, isUsed: value !== 0 });
    // The upper half of a 64-bit BAR is an address, and has no kind.
    if ((kind & 0x7) === 0x4) bar += 1;
  }
  return found;
}

/** How large a BAR is, of a function or of each of its VFs. */
export interface BarSize {
  readonly of: 'function' | 'vf';
  readonly bar: number;
  readonly bytes: number;
}

interface Listed extends ByteRange {
  readonly space: CapabilitySpace;
  readonly id: number;
}

/**
 * The sizes config space tells: of BARs that can be resized, and of those that are where they are for good. Of all
 * others only a write of all-ones tells, and no capture is one.
 */
export function barSizes(space: ConfigSpace, capabilities: readonly Listed[]): readonly BarSize[] {
  const sizes: BarSize[] = [];
  for (const one of capabilities) {
    if (one.space === 'standard' && one.id === 0x14) sizes.push(...enhanced(space, one));
    if (one.space === 'extended' && one.id === 0x15) sizes.push(...resizable('function', space, one));
    if (one.space === 'extended' && one.id === 0x24) sizes.push(...resizable('vf', space, one));
  }
  return sizes;
}

/** PCIe Base Specification, "Resizable BAR Control Register": BAR Index, and BAR Size from 1 MiB on. Reading B9. */
function resizable(of: BarSize['of'], space: ConfigSpace, { offset, length }: ByteRange): readonly BarSize[] {
  const count = length < 12 ? 0 : (space.u32(offset + 8) >>> 5) & 0x7;
  if (count > 6 || 4 + 8 * count > length) return [];
  return Array.from({ length: count }, (_, index): BarSize => {
    const control = space.u32(offset + 8 + 8 * index);
    return { of, bar: control & 0x7, bytes: 2 ** (20 + ((control >>> 8) & 0x1f)) };
  });
}

/** First of the BAR Equivalent Indicators of VFs, and how many there are. */
const vfIndicators = { from: 9, count: 6 } as const;

/** PCIe Base Specification, "Enhanced Allocation Per-Entry Format": DWORDs behind the first, BAR, base, last offset. */
function enhanced(space: ConfigSpace, { offset, length }: ByteRange): readonly BarSize[] {
  const sizes: BarSize[] = [];
  const end = offset + length;
  const isBridge = (space.u8(0x0e) & 0x7f) === 1;
  for (let at = offset + (isBridge ? 8 : 4); at + 12 <= end; at += 4 * (1 + (space.u32(at) & 0x7))) {
    const [entry, base, most] = [space.u32(at), space.u32(at + 4), space.u32(at + 8)];
    // Bit 1 of either says that it goes on: behind both, the base first.
    const upperAt = at + 12 + 2 * (base & 2);
    const upper = (most & 2) === 2 && upperAt + 4 <= end ? space.u32(upperAt) : 0;
    const indicator = (entry >>> 4) & 0xf;
    const ofVf = indicator - vfIndicators.from;
    const bytes = upper * 2 ** 32 + ((most | 3) >>> 0) + 1;
    if ((entry >>> 31) === 0) continue;
    if (indicator < 6) sizes.push({ of: 'function', bar: indicator, bytes });
    else if (ofVf >= 0 && ofVf < vfIndicators.count) sizes.push({ of: 'vf', bar: ofVf, bytes });
  }
  return sizes;
}
