import { type CapabilitySpace } from './catalogue/capability-row.js';
import { type ConfigSpace, extendedSpaceAt } from './config-space.js';
import { type Finding } from './finding.js';
import { announcesCapabilities, capabilitiesPointerAt, type Header } from './header.js';

/** One structure of a capability list, as its header tells it. */
export interface LinkedCapability {
  readonly space: CapabilitySpace;
  readonly id: number;
  /** 0 for standard capabilities, which have none. */
  readonly version: number;
  readonly offset: number;
  /** The next pointer as read, reserved bits included. */
  readonly next: number;
}

/** Each takes at least 4 of the 192 bytes behind the header: a longer list can only be a loop. */
export const standardCapabilitiesMax = (extendedSpaceAt - 0x40) / 4;
/** Each takes at least 4 of the 3840 bytes of the extended space: a longer list can only be a loop. */
export const extendedCapabilitiesMax = (4096 - extendedSpaceAt) / 4;

/** Follows the standard list from the header's pointer. Stops, with a finding, at whatever makes no sense. */
export function walkStandardCapabilities(
  space: ConfigSpace, header: Header, findings: Finding[],
): readonly LinkedCapability[] {
  const from = capabilitiesPointerAt(header);
  const pointer = space.u8(from);
  if (!announcesCapabilities(header)) {
    if (pointer >= 0x40 && pointer !== 0xff) findings.push({ kind: 'list-not-announced', pointer });
    return [];
  }
  return walk(standardList, space, from, pointer, findings);
}

/** Follows the extended list, which has no head pointer: its first header is at 0x100. */
export function walkExtendedCapabilities(space: ConfigSpace, findings: Finding[]): readonly LinkedCapability[] {
  if (!space.hasExtendedSpace || !space.captured(extendedSpaceAt, 4)) return [];
  const head = space.u32(extendedSpaceAt);
  if (head === 0) return [];
  if (head === 0xffffffff) {
    findings.push({ kind: 'extended-space-all-ones' });
    return [];
  }
  return walk(extendedList, space, extendedSpaceAt, extendedSpaceAt, findings);
}

/** What differs between the two lists. */
interface List {
  readonly space: CapabilitySpace;
  /** The lowest offset a structure may have; the pointer 0 ends the list. */
  readonly least: number;
  readonly headerBytes: 2 | 4;
  read(space: ConfigSpace, offset: number): { readonly id: number; readonly version: number; readonly next: number };
  isAllOnes(space: ConfigSpace, offset: number): boolean;
  /** A link into nothing. Standard ID 0 is a legal placeholder; an extended header of zero is none. */
  isNothing(space: ConfigSpace, offset: number): boolean;
}

const standardList: List = {
  space: 'standard',
  least: 0x40,
  headerBytes: 2,
  read: (space, offset) => ({ id: space.u8(offset), version: 0, next: space.u8(offset + 1) }),
  isAllOnes: (space, offset) => space.u8(offset) === 0xff,
  isNothing: () => false,
};

const extendedList: List = {
  space: 'extended',
  least: extendedSpaceAt,
  headerBytes: 4,
  read: (space, offset) => {
    const header = space.u32(offset);
    return { id: header & 0xffff, version: (header >>> 16) & 0xf, next: header >>> 20 };
  },
  isAllOnes: (space, offset) => space.u32(offset) === 0xffffffff,
  isNothing: (space, offset) => space.u32(offset) === 0,
};

/** `visited` bounds the walk: an aligned offset is taken once, so no list is longer than its space has DWORDs. */
function walk(list: List, space: ConfigSpace, from: number, first: number, findings: Finding[]): LinkedCapability[] {
  const found: LinkedCapability[] = [];
  const visited = new Set<number>();
  let at = from;
  let pointer = first;
  while (pointer !== 0) {
    // "Bottom two bits are Reserved and must be masked." PCI Local Bus Specification, "Capabilities List".
    const offset = pointer & ~3;
    if (offset !== pointer) findings.push({ kind: 'pointer-reserved-bits', space: list.space, at, pointer });
    if (offset === 0) break;
    if (offset < list.least) {
      findings.push({ kind: 'pointer-below-space', space: list.space, at, pointer, least: list.least });
      break;
    }
    if (visited.has(offset)) {
      findings.push({ kind: 'capability-list-loops', space: list.space, at, pointer });
      break;
    }
    visited.add(offset);
    if (!space.captured(offset, list.headerBytes)) {
      findings.push({ kind: 'header-not-captured', space: list.space, offset });
      break;
    }
    if (list.isAllOnes(space, offset)) {
      findings.push({ kind: 'header-all-ones', space: list.space, offset });
      break;
    }
    if (list.isNothing(space, offset)) {
      findings.push({ kind: 'header-zero', space: list.space, offset });
      break;
    }
    const { id, version, next } = list.read(space, offset);
    if (found.length > 0 && offset < at) {
      findings.push({ kind: 'list-goes-backwards', space: list.space, at, pointer });
    }
    found.push({ space: list.space, id, version, offset, next });
    at = offset;
    pointer = next;
  }
  return found;
}
