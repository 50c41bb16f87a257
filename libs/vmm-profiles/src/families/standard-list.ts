import { announcesCapabilities, type ConfigSpace, readHeader, standardCapabilitiesMax } from '@cadastre/config-space';

export interface StandardItem {
  readonly id: number;
  readonly offset: number;
}

/** A standard list as a VMM walks it: in order, without a guard of its own, so `loops` means that it never ends. */
export interface StandardWalk {
  readonly items: readonly StandardItem[];
  readonly loops: boolean;
}

/**
 * Follows the standard list.
 * @param mask bits of a pointer that count
 * @param stopsAtSelf a structure that leads to itself ends the list
 */
export function walkStandard(space: ConfigSpace, mask: 0xff | 0xfc, stopsAtSelf: boolean): StandardWalk {
  const items: StandardItem[] = [];
  if (!announcesCapabilities(readHeader(space))) return { items, loops: false };
  const seen = new Set<number>();
  let at = space.u8(0x34) & mask;
  while (at !== 0 && at + 1 < 0x100) {
    if (seen.has(at) || items.length > standardCapabilitiesMax * 4) return { items, loops: true };
    seen.add(at);
    items.push({ id: space.u8(at), offset: at });
    const next = space.u8(at + 1) & mask;
    if (stopsAtSelf && next === at) break;
    at = next;
  }
  return { items, loops: false };
}

/** Where the nearest start above an offset is; `end` when there is none. */
export function nextStart(starts: readonly { readonly offset: number }[], offset: number, end: number): number {
  let nearest = end;
  for (const one of starts) if (one.offset > offset && one.offset < nearest) nearest = one.offset;
  return nearest;
}
