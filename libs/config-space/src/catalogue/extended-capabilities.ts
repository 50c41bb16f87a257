import { capabilityAlignment, type CapabilityRow, type Legality } from './capability-row.js';
import {
  bits, ceilDiv, choose, expressBits, farthest, headerVersion, highestBit, ifSet, largest, product, recordBits,
    records, roundUp,
  sum, unconfirmed, type LengthTerm,
} from './length-term.js';

/** PCIe Base Specification, "PCI Express Capabilities Register", Device/Port Type. */
const portType = expressBits(0x02, 2, 4, 4);
/** PCIe Base Specification, "Link Capabilities Register", Maximum Link Width: lanes, negotiated or not. */
const lanes = expressBits(0x0c, 4, 4, 6);

/** A port type that has the root registers: root port 4, root complex event collector 10. */
const hasRootRegisters: Readonly<Record<number, 1>> = { 4: 1, 10: 1 };

/** "Advanced Error Reporting": root registers at 0x2c, TLP prefix log at 0x38. Reading B12. */
const aerLength = (() => {
  const prefixLogInDevice = choose(expressBits(0x02, 2, 0, 4), { 0: 0, 1: 0 }, expressBits(0x24, 4, 21, 1));
  const prefixLog = 0x48;
  return largest(
    0x2c,
    ifSet(choose(portType, hasRootRegisters, 0), 0x38),
    ifSet(prefixLogInDevice, prefixLog),
    ifSet(bits(0x18, 4, 11, 1), prefixLog),
  );
})();

/** "Virtual Channel": registers, the VC arbitration table, one port arbitration table for each VC. Reading B5. */
const virtualChannelLength = (() => {
  const channels = sum(1, bits(0x04, 4, 0, 3));
  // A table offset is in units of 16 bytes; an arbitration phase takes 4 bits in the VC table.
  const vcTableAt = bits(0x08, 4, 24, 8);
  const vcTablePhases = choose(highestBit(bits(0x08, 4, 1, 3)), { 0: 32, 1: 64, 2: 128 }, 0);
  const tableEnd = (at: LengthTerm, sizeBytes: LengthTerm): LengthTerm =>
    choose(at, { 0: 0 }, choose(sizeBytes, { 0: 0 }, sum(product(16, at), sizeBytes)));
  const portTablePhases = choose(highestBit(recordBits(0x00, 4, 1, 5)), { 0: 32, 1: 64, 2: 128, 3: 128, 4: 256 }, 0);
  // Entry size is 1, 2, 4 or 8 bits.
  const portTableBytes = choose(bits(0x04, 4, 10, 2), {
    0: ceilDiv(portTablePhases, 8), 1: ceilDiv(portTablePhases, 4), 2: ceilDiv(portTablePhases, 2),
  }, portTablePhases);
  return largest(
    sum(0x10, product(0x0c, channels)),
    tableEnd(vcTableAt, choose(vcTablePhases, { 32: 16, 64: 32, 128: 64 }, 0)),
    farthest(0x10, 0x0c, channels, tableEnd(recordBits(0x00, 4, 24, 8), portTableBytes)),
  );
})();

/** "Resizable BAR" and "VF Resizable BAR": one capability and control pair for each BAR. Reading B9. */
const resizableBarLength = choose(bits(0x08, 4, 5, 3), { 0: null, 7: null }, sum(4, product(8, bits(0x08, 4, 5, 3))));

/** "Downstream Port Containment": the RP PIO log follows the root port extensions. */
const dpcLength = (() => {
  const logSize = bits(0x04, 2, 8, 4);
  // Log size 0 beside root port extensions is a firmware bug of Intel parts; Linux assumes 4 (quirks.md section 1).
  const withLog = choose(logSize, { 0: 0x30 }, sum(0x20, product(4, logSize)));
  return choose(bits(0x04, 2, 5, 1), { 1: withLog }, 12);
})();

/** "Integrity and Data Encryption": link streams, then selective streams with their address blocks. Reading B15. */
const ideLength = (() => {
  const linkStreams = ifSet(bits(0x04, 4, 0, 1), product(8, sum(1, bits(0x04, 4, 13, 3))));
  const selectiveStreams = ifSet(bits(0x04, 4, 1, 1), sum(1, bits(0x04, 4, 16, 8)));
  return records(sum(0x0c, linkStreams), selectiveStreams, sum(20, product(12, recordBits(0x00, 4, 0, 4))));
})();

/** Bytes of `base` and one entry of `each` bytes for every lane of the link. Reading B8. */
function laneIndexed(base: number, each: number): LengthTerm {
  return roundUp(sum(base, product(each, choose(lanes, { 0: null }, lanes))), 4);
}

/** "ACS Egress Control Vector": one bit for each port or function, 0 meaning 256 of them. */
const acsEgressVectorBytes = choose(bits(0x05, 1, 0, 8), { 0: 32 }, product(4, ceilDiv(bits(0x05, 1, 0, 8), 32)));

const y: Legality = 'yes';
const n: Legality = 'no';
const s: Legality = 'shared';
const none: Legality = 'not-meaningful';
const u: Legality = 'unconfirmed';

type Row = readonly [
  id: number, name: string, title: string, length: CapabilityRow['length'], pf: Legality, vf: Legality, rp: Legality,
  vfio: CapabilityRow['vfio'], synthesize: CapabilityRow['synthesize'], lengthMin?: number,
];

const rows: readonly Row[] = [
  [0x0000, 'NULL', 'Null Capability', 4, y, y, y, 'hide', 'yes'],
  [0x0001, 'AER', 'Advanced Error Reporting', aerLength, y, y, y, 'show', 'yes'],
  [0x0002, 'VC', 'Virtual Channel', virtualChannelLength, y, n, y, 'show', 'no'],
  [0x0003, 'DSN', 'Device Serial Number', 12, y, s, y, 'show', 'yes'],
  [0x0004, 'PB', 'Power Budgeting', 16, y, n, none, 'show', 'no'],
  [0x0005, 'RCLD', 'Root Complex Link Declaration', sum(16, product(16, bits(0x05, 1, 0, 8))),
    none, none, y, 'hide', 'no'],
  [0x0006, 'RCILC', 'Root Complex Internal Link Control', unconfirmed(12), none, none, y, 'hide', 'no'],
  [0x0007, 'RCEC', 'Root Complex Event Collector Endpoint Association',
    choose(headerVersion, { 0: 8, 1: 8 }, 12), none, none, none, 'hide', 'no'],
  [0x0008, 'MFVC', 'Multi-Function Virtual Channel', virtualChannelLength, y, n, none, 'show', 'no'],
  [0x0009, 'VC9', 'Virtual Channel', virtualChannelLength, y, n, y, 'show', 'no'],
  [0x000a, 'RCRB', 'RCRB Header', unconfirmed(0x14), none, none, y, 'hide', 'no'],
  [0x000b, 'VSEC', 'Vendor-Specific', bits(0x04, 4, 20, 12), y, y, y, 'show', 'no', 8],
  [0x000c, 'CAC', 'Configuration Access Correlation', null, none, none, none, 'hide', 'no'],
  [0x000d, 'ACS', 'Access Control Services', sum(8, ifSet(bits(0x04, 2, 5, 1), acsEgressVectorBytes)),
    y, y, y, 'show', 'with-backing'],
  [0x000e, 'ARI', 'Alternative Routing-ID Interpretation', 8, y, y, none, 'show', 'with-backing'],
  [0x000f, 'ATS', 'Address Translation Services', 8, y, y, n, 'show', 'with-backing'],
  [0x0010, 'SRIOV', 'Single Root I/O Virtualization', 0x40, y, n, n, 'show', 'with-backing'],
  [0x0011, 'MRIOV', 'Multi-Root I/O Virtualization', null, y, n, n, 'hide', 'no'],
  [0x0012, 'MCAST', 'Multicast', choose(portType, { 4: 0x30, 5: 0x30, 6: 0x30, 7: 0x30, 8: 0x30 }, 0x28),
    y, n, y, 'show', 'no'],
  [0x0013, 'PRI', 'Page Request Interface', 16, y, n, n, 'show', 'with-backing'],
  [0x0014, 'AMD14', 'Reserved for AMD', null, y, n, none, 'hide', 'no'],
  [0x0015, 'REBAR', 'Resizable BAR', resizableBarLength, y, n, none, 'show', 'with-backing'],
  [0x0016, 'DPA', 'Dynamic Power Allocation', roundUp(sum(17, bits(0x04, 4, 0, 5)), 4), y, n, none, 'show', 'no'],
  [0x0017, 'TPH', 'TPH Requester',
    roundUp(sum(12, choose(bits(0x04, 4, 9, 2), { 1: sum(2, product(2, bits(0x04, 4, 16, 11))) }, 0)), 4),
    y, y, n, 'show', 'with-backing'],
  [0x0018, 'LTR', 'Latency Tolerance Reporting', 8, y, n, none, 'show', 'no'],
  [0x0019, 'SECPCI', 'Secondary PCI Express', laneIndexed(12, 2), y, n, y, 'hide', 'no'],
  [0x001a, 'PMUX', 'Protocol Multiplexing', null, y, n, y, 'hide', 'no'],
  [0x001b, 'PASID', 'Process Address Space ID', 8, y, n, n, 'hide', 'with-backing'],
  [0x001c, 'LNR', 'LN Requester', unconfirmed(8), y, y, n, 'hide', 'no'],
  [0x001d, 'DPC', 'Downstream Port Containment', dpcLength, none, none, y, 'hide', 'no'],
  [0x001e, 'L1SS', 'L1 PM Substates', choose(headerVersion, { 1: 0x10, 2: unconfirmed(0x14) }, null),
    y, n, y, 'hide', 'no'],
  [0x001f, 'PTM', 'Precision Time Measurement', 12, y, n, y, 'hide', 'with-backing'],
  [0x0020, 'MPHY', 'PCI Express over M-PHY', null, none, none, none, 'hide', 'no'],
  [0x0021, 'FRS', 'FRS Queueing', unconfirmed(16), none, none, y, 'hide', 'no'],
  [0x0022, 'RTR', 'Readiness Time Reporting', unconfirmed(12), y, y, none, 'hide', 'no'],
  [0x0023, 'DVSEC', 'Designated Vendor-Specific', bits(0x04, 4, 20, 12), y, y, y, 'show', 'yes', 10],
  [0x0024, 'VFREBAR', 'VF Resizable BAR', resizableBarLength, y, n, none, 'hide', 'no'],
  [0x0025, 'DLF', 'Data Link Feature', 12, y, n, y, 'hide', 'no'],
  [0x0026, 'PL16', 'Physical Layer 16.0 GT/s', laneIndexed(0x20, 1), y, n, y, 'hide', 'no'],
  [0x0027, 'LMR', 'Lane Margining at the Receiver', laneIndexed(8, 4), y, n, y, 'hide', 'no'],
  [0x0028, 'HID', 'Hierarchy ID', unconfirmed(0x20), y, y, none, 'hide', 'no'],
  [0x0029, 'NPEM', 'Native PCIe Enclosure Management', 16, y, n, y, 'hide', 'no'],
  [0x002a, 'PL32', 'Physical Layer 32.0 GT/s', laneIndexed(0x20, 1), y, n, y, 'hide', 'no'],
  [0x002b, 'AP', 'Alternate Protocol', unconfirmed(choose(bits(0x04, 4, 8, 1), { 1: 0x18 }, 0x14)),
    y, n, y, 'hide', 'no'],
  [0x002c, 'SFI', 'System Firmware Intermediary', unconfirmed(0x14), none, none, y, 'hide', 'no'],
  [0x002d, 'SF', 'Shadow Functions', unconfirmed(null), y, n, none, 'hide', 'no'],
  [0x002e, 'DOE', 'Data Object Exchange', 0x18, y, y, y, 'hide', 'with-backing'],
  [0x002f, 'DEV3', 'Device 3', 0x10, y, u, y, 'hide', 'yes'],
  [0x0030, 'IDE', 'Integrity and Data Encryption', ideLength, y, n, y, 'hide', 'no'],
  [0x0031, 'PL64', 'Physical Layer 64.0 GT/s', laneIndexed(0x10, 1), y, n, y, 'hide', 'no'],
  [0x0032, 'FLITLOG', 'Flit Logging', unconfirmed(0x3c), y, n, y, 'hide', 'no'],
  [0x0033, 'FLITPERF', 'Flit Performance Measurement', null, y, n, y, 'hide', 'no'],
  [0x0034, 'FLITERR', 'Flit Error Injection', 0x24, y, n, y, 'hide', 'no'],
  [0x0035, 'SVC', 'Streamlined Virtual Channel', null, y, n, y, 'hide', 'no'],
  [0x0036, 'MRBL', 'MMIO Register Block Locator', bits(0x04, 4, 0, 12), y, y, y, 'hide', 'with-backing', 8],
  [0x0037, 'NOPFLIT', 'NOP Flit', null, y, n, y, 'hide', 'no'],
  [0x0038, 'SIOV', 'Scalable I/O Virtualization', unconfirmed(0x10), y, n, none, 'hide', 'no'],
  [0x0039, 'PL128', 'Physical Layer 128.0 GT/s', unconfirmed(laneIndexed(0x10, 1)), y, n, y, 'hide', 'no'],
  [0x003a, 'CD', 'Captured Data', null, y, u, none, 'hide', 'no'],
];

/** PASID, PRI and ATS by the code of Linux (ats.c), SR-IOV by what it is; the rest of the VF column is UNCONFIRMED. */
const confirmedInVf: readonly number[] = [0x000f, 0x0010, 0x0013, 0x001b];

/** Extended capability IDs 0x0000..0x003a. PCI Code and ID Assignment Specification, "Extended Capability IDs". */
export const extendedCapabilities: readonly CapabilityRow[] = rows.map(
  ([id, name, title, length, pf, vf, rootPort, vfio, synthesize, lengthMin]) => ({
    id, name, title, length, alignment: capabilityAlignment,
    allowedIn: { pf, vf, rootPort, vfConfirmed: confirmedInVf.includes(id) }, vfio, synthesize,
    ...(lengthMin === undefined ? {} : { lengthMin }),
  }),
);
