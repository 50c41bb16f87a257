import { type Field, type RegisterBlock } from './field.js';

/** "Device Serial Number": an EUI-64, lower DWORD first. */
const serialNumber = {
  lowerDword: [0x04, 4, 0, 32, 'RO'],
  upperDword: [0x08, 4, 0, 32, 'RO'],
} as const satisfies Record<string, Field>;

export const serialNumberRegisters: readonly RegisterBlock[] = [{ name: 'serialNumber', fields: serialNumber }];

/** "Designated Vendor-Specific Header 1" and 2: who made the structure, whatever function it is in. */
const dvsecHeader = {
  dvsecVendorId: [0x04, 4, 0, 16, 'RO'],
  dvsecRevision: [0x04, 4, 16, 4, 'RO'],
  dvsecLength:   [0x04, 4, 20, 12, 'RO'],
  dvsecId:       [0x08, 2, 0, 16, 'RO'],
} as const satisfies Record<string, Field>;

export const dvsecRegisters: readonly RegisterBlock[] = [{ name: 'dvsecHeader', fields: dvsecHeader }];

/** "Vendor-Specific Header": the ID is in the space of the function's own vendor. */
const vsecHeader = {
  vsecId:       [0x04, 4, 0, 16, 'RO'],
  vsecRevision: [0x04, 4, 16, 4, 'RO'],
  vsecLength:   [0x04, 4, 20, 12, 'RO'],
} as const satisfies Record<string, Field>;

export const vsecRegisters: readonly RegisterBlock[] = [{ name: 'vsecHeader', fields: vsecHeader }];

/** PCI Local Bus Specification, "Vendor Specific" capability. */
export const vendorRegisters: readonly RegisterBlock[] = [
  { name: 'vendorSpecific', fields: { capabilityLength: [0x02, 1, 0, 8, 'RO'] } },
];
