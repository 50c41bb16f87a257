import { type ConfigSpace, extendedSpaceAt } from '@cadastre/config-space';

/** Extended capability IDs the VMMs treat by name. */
export const extendedId = { ari: 0x0e, ats: 0x0f, sriov: 0x10, rebar: 0x15, pasid: 0x1b } as const;
export const pasidBytes = 8;
/** The highest place an 8-byte capability has. */
export const endOfSpacePasid = 0xff8;

export interface ExtendedItem {
  readonly id: number;
  readonly version: number;
  readonly offset: number;
  /** Where the header leads, reserved bits masked. */
  readonly next: number;
}

export interface ExtendedWalk {
  readonly items: readonly ExtendedItem[];
  /** How the list ends: at 0, never, or at a pointer that leads nowhere. */
  readonly ends: 'properly' | 'loops' | 'below-space';
}

/** The header at an offset, as bits. */
export function headerAt(space: { u32(offset: number): number }, offset: number): ExtendedItem {
  const header = space.u32(offset);
  return { id: header & 0xffff, version: (header >>> 16) & 0xf, offset, next: (header >>> 20) & 0xffc };
}

/** Follows the list from 0x100, whose first header counts whatever it is, until a pointer of 0. */
export function walkExtended(space: ConfigSpace): ExtendedWalk {
  const items: ExtendedItem[] = [];
  if (!space.hasExtendedSpace) return { items, ends: 'properly' };
  const seen = new Set<number>();
  let at = extendedSpaceAt;
  while (at !== 0) {
    if (at < extendedSpaceAt) return { items, ends: 'below-space' };
    if (seen.has(at)) return { items, ends: 'loops' };
    seen.add(at);
    const item = headerAt(space, at);
    items.push(item);
    at = item.next;
  }
  return { items, ends: 'properly' };
}

/** PASID capability and control registers at reset (Q19). */
export function pasidRegisters(pasid: { widthBits: number; execute: boolean; privileged: boolean }): number {
  return (pasid.widthBits << 8) | (pasid.execute ? 2 : 0) | (pasid.privileged ? 4 : 0);
}
