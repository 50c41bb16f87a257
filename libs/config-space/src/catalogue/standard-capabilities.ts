import { capabilityAlignment, type CapabilityRow } from './capability-row.js';
import {
  bits, choose, headerBits, ifSet, product, recordBits, records, sum, unconfirmed, type LengthTerm,
} from './length-term.js';

/** Header type 0 (function) or 1 (bridge), PCI Local Bus Specification, "Header Type". */
const headerType = headerBits(0x0e, 1, 0, 7);

/** PCI Express capability by version and port type. Linux `pci_regs.h`; readings B1 and B2. */
const expressLength: LengthTerm = (() => {
  const deviceAndLink = 0x14;
  const slotImplemented = bits(0x02, 2, 8, 1);
  const version1 = choose(bits(0x02, 2, 4, 4), {
    4: 0x24,
    6: choose(slotImplemented, { 1: 0x1c }, deviceAndLink),
    9: 0x0c,
    10: 0x24,
  }, deviceAndLink);
  // Version 0 is an erratum of Intel 82599 VFs; VMMs read it as 1.
  return choose(bits(0x02, 2, 0, 4), { 0: version1, 1: version1 }, 0x3c);
})();

/** HyperTransport: the type is in byte 3, three bits for the link blocks, five for the others. Reading B6. */
const hyperTransportLength: LengthTerm = choose(bits(0x03, 1, 5, 3), {
  0: 28,
  1: 24,
}, choose(bits(0x03, 1, 3, 5), {
  0x10: unconfirmed(8),
  0x15: choose(bits(0x02, 1, 1, 1), { 1: 4 }, 12),
  0x18: unconfirmed(12),
}, null));

type Row = readonly [
  id: number, name: string, title: string, length: CapabilityRow['length'],
  vfio: CapabilityRow['vfio'], synthesize: CapabilityRow['synthesize'], lengthMin?: number,
];

const rows: readonly Row[] = [
  [0x00, 'NULL', 'Null Capability', 4, 'hide', 'yes'],
  [0x01, 'PM', 'PCI Power Management Interface', 8, 'show', 'yes'],
  [0x02, 'AGP', 'Accelerated Graphics Port', 12, 'show', 'no'],
  [0x03, 'VPD', 'Vital Product Data', 8, 'show', 'with-backing'],
  [0x04, 'SLOTID', 'Slot Identification', 4, 'hide', 'no'],
  [0x05, 'MSI', 'Message Signaled Interrupts',
    sum(10, ifSet(bits(0x02, 2, 7, 1), 4), ifSet(bits(0x02, 2, 8, 1), 10)), 'show', 'with-backing'],
  [0x06, 'CHSWP', 'CompactPCI Hot Swap', 4, 'hide', 'no'],
  [0x07, 'PCIX', 'PCI-X',
    choose(headerType, {
      0: choose(bits(0x02, 2, 12, 2), { 0: 8 }, 24),
      1: choose(bits(0x02, 2, 12, 2), { 0: 16 }, unconfirmed(0x24)), // with ECC registers
    }, null), 'show', 'no'],
  [0x08, 'HT', 'HyperTransport', hyperTransportLength, 'show', 'no'],
  [0x09, 'VNDR', 'Vendor Specific', bits(0x02, 1, 0, 8), 'show', 'yes', 3],
  [0x0a, 'DBG', 'Debug Port', 4, 'hide', 'no'],
  [0x0b, 'CCRC', 'CompactPCI Central Resource Control', unconfirmed(4), 'hide', 'no'],
  [0x0c, 'SHPC', 'PCI Hot-Plug', 8, 'hide', 'no'],
  [0x0d, 'SSVID', 'PCI Bridge Subsystem Vendor ID', 8, 'hide', 'yes'],
  [0x0e, 'AGP3', 'AGP 8x', unconfirmed(12), 'hide', 'no'],
  [0x0f, 'SECDEV', 'Secure Device', unconfirmed(0x18), 'hide', 'no'],
  [0x10, 'EXP', 'PCI Express', expressLength, 'show', 'with-backing'],
  [0x11, 'MSIX', 'MSI-X', 12, 'show', 'with-backing'],
  [0x12, 'SATA', 'Serial ATA Data/Index Configuration',
    choose(bits(0x04, 4, 0, 4), { 0xf: 16 }, 8), 'show', 'no'],
  [0x13, 'AF', 'Advanced Features', 6, 'show', 'with-backing'],
  [0x14, 'EA', 'Enhanced Allocation',
    records(choose(headerType, { 1: 8 }, 4), bits(0x02, 1, 0, 6),
      // Each entry is one DWORD and ES more.
      sum(4, product(4, recordBits(0x00, 4, 0, 3)))), 'hide', 'with-backing'],
  [0x15, 'FPB', 'Flattening Portal Bridge', unconfirmed(0x24), 'hide', 'no'],
];

/** Structures of bridges and ports alone; a root port is one. AGP and the EHCI debug port are in neither. */
const bridgesOnly: readonly number[] = [0x04, 0x0c, 0x0d, 0x0e, 0x15];
const neverInPort: readonly number[] = [0x02, 0x0a, 0x12, 0x13];

/** No source says which of them a VF may have: those columns stay unconfirmed, but for the three every VF shows. */
const seenInVf: readonly number[] = [0x00, 0x10, 0x11];

function allowedIn(id: number): CapabilityRow['allowedIn'] {
  if (bridgesOnly.includes(id)) return { pf: 'no', vf: 'no', rootPort: 'yes', vfConfirmed: false };
  return {
    pf: 'yes',
    vf: seenInVf.includes(id) ? 'yes' : 'unconfirmed',
    rootPort: neverInPort.includes(id) ? 'no' : 'yes',
    vfConfirmed: seenInVf.includes(id),
  };
}

/** Standard capability IDs 0x00..0x15. PCI Code and ID Assignment Specification, "Capability IDs". */
export const standardCapabilities: readonly CapabilityRow[] = rows.map(
  ([id, name, title, length, vfio, synthesize, lengthMin]) => ({
    id, name, title, length, alignment: capabilityAlignment, allowedIn: allowedIn(id), vfio, synthesize,
    ...(lengthMin === undefined ? {} : { lengthMin }),
  }),
);
