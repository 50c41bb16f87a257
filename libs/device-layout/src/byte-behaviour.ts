import {
  type Access, type Capability, type ConfigSpace, decode, occupiedEnd, type Survey,
} from '@cadastre/config-space';
import { type CompareClass, type Provenance, type WriteBehaviour } from './layout-document.js';

/** How each byte of a layout compares, where a write to it goes, and who put it there. */
export interface ByteBehaviour {
  compare: CompareClass;
  write: WriteBehaviour;
  provenance: Provenance;
}

const hardware = (rule: string): Provenance => ({ by: 'hardware', rule, note: null });
const header = hardware('header');
const gapBytes = hardware('gap');

/** Registers of the header that hold what a driver or a VMM put there. PCI Local Bus Specification. */
const headerState: readonly (readonly [from: number, to: number])[] = [
  [0x04, 0x05], [0x0c, 0x0d], [0x0f, 0x27], [0x30, 0x33], [0x3c, 0x3c],
];
/** Status bits change while the device runs; its capabilities bit does not. */
const statusBytes = [0x06, 0x07];

/** Registers whose read-only fields tell the state of a link or a queue, and change while nobody writes. */
const volatileRegisters = /Status$|^linkStatus|^slotStatus|^deviceStatus|^rootStatus/;

/** Capabilities whose controls belong to the VMM and the IOMMU driver, never to the hardware (R16). */
const emulatedControls: Readonly<Record<Capability['space'], readonly number[]>> = {
  standard: [0x05, 0x11],
  extended: [0x000e, 0x000f, 0x0010, 0x0013, 0x0015, 0x001b],
};

/** From this byte on, what a vendor put there may differ from firmware to firmware, or from unit to unit. */
const vendorBody: Readonly<Record<Capability['space'], Readonly<Record<number, number>>>> = {
  standard: { 0x09: 3 },
  extended: { 0x0003: 4, 0x000b: 8, 0x0023: 10 },
};

/** How the hardware's own bytes behave, before a layout changes anything. */
export function hardwareBehaviour({ space, capabilities }: Survey): ByteBehaviour[] {
  const bytes = Array.from({ length: space.size }, (_, at): ByteBehaviour => {
    if (at >= 0x40) return { compare: 'ignore', write: 'hardware', provenance: gapBytes };
    if (headerState.some(([from, to]) => at >= from && at <= to)) {
      return { compare: 'ignore', write: 'emulated', provenance: header };
    }
    const compare = statusBytes.includes(at) ? 'consistent' : 'identical';
    return { compare, write: 'dropped', provenance: header };
  });
  const byStart = [...capabilities].sort((a, b) => a.offset - b.offset);
  for (const one of byStart) paintCapability(space, one, bytes);
  return bytes;
}

function paintCapability(space: ConfigSpace, capability: Capability, bytes: ByteBehaviour[]): void {
  const { offset, id, space: list, opaque, row } = capability;
  const provenance = hardware(row.name);
  const emulated = emulatedControls[list].includes(id);
  const vendorFrom = vendorBody[list][id];
  for (let at = offset; at < Math.min(occupiedEnd(capability), bytes.length); at += 1) {
    const isVendors = vendorFrom !== undefined && at >= offset + vendorFrom;
    const write = emulated ? 'emulated' : opaque || isVendors ? 'hardware' : 'dropped';
    bytes[at] = { compare: isVendors ? 'consistent' : 'identical', write, provenance };
  }
  for (const [at, { settable, fixed }] of fieldsOf(space, capability)) {
    const before = bytes[at];
    if (!before || !settable) continue;
    before.compare = fixed ? 'consistent' : 'ignore';
    before.write = emulated ? 'emulated' : 'hardware';
  }
  // The header leads through the list: it is never the guest's to write.
  for (let at = offset; at < offset + (list === 'standard' ? 2 : 4); at += 1) {
    bytes[at] = { compare: 'identical', write: 'dropped', provenance };
  }
}

const settableAccess: readonly Access[] = ['RW', 'RWS', 'RW1C', 'RW1CS'];

/** For each byte with fields: whether anything in it changes, and whether anything in it does not. */
function fieldsOf(
  space: ConfigSpace, capability: Capability,
): ReadonlyMap<number, { readonly settable: boolean; readonly fixed: boolean }> {
  const found = new Map<number, { settable: boolean; fixed: boolean }>();
  for (const { register, at, lsb, width, access } of decode(space, capability)) {
    const changes = settableAccess.includes(access) || volatileRegisters.test(register);
    for (let byte = at + (lsb >>> 3); byte <= at + ((lsb + width - 1) >>> 3); byte += 1) {
      const before = found.get(byte) ?? { settable: false, fixed: false };
      found.set(byte, { settable: before.settable || changes, fixed: before.fixed || !changes });
    }
  }
  return found;
}
