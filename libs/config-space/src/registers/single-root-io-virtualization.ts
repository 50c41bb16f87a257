import { type Field, type RegisterBlock } from './field.js';

/** SR-IOV Extended Capability, 64 bytes. PCIe Base Specification, "SR-IOV Extended Capability". */
const sriovCapabilities = {
  vfMigrationCapable:                [0x04, 4, 0, 1, 'RO'],
  ariCapableHierarchyPreserved:      [0x04, 4, 1, 1, 'RO'],
  vfTenBitTagRequesterSupported:     [0x04, 4, 2, 1, 'HwInit'],
  vfMigrationInterruptMessageNumber: [0x04, 4, 21, 11, 'RO'],
} as const satisfies Record<string, Field>;

const sriovControl = {
  vfEnable:                    [0x08, 2, 0, 1, 'RW'],
  vfMigrationEnable:           [0x08, 2, 1, 1, 'RW'],
  vfMigrationInterruptEnable:  [0x08, 2, 2, 1, 'RW'],
  vfMemorySpaceEnable:         [0x08, 2, 3, 1, 'RW'],
  ariCapableHierarchy:         [0x08, 2, 4, 1, 'RW'],
  vfTenBitTagRequesterEnable:  [0x08, 2, 5, 1, 'RW'],
} as const satisfies Record<string, Field>;

const sriovStatus = {
  vfMigrationStatus: [0x0a, 2, 0, 1, 'RW1C'],
} as const satisfies Record<string, Field>;

const sriovNumbers = {
  initialVfs:             [0x0c, 2, 0, 16, 'HwInit'],
  totalVfs:               [0x0e, 2, 0, 16, 'HwInit'],
  numVfs:                 [0x10, 2, 0, 16, 'RW'],
  functionDependencyLink: [0x12, 1, 0, 8, 'RO'],
  firstVfOffset:          [0x14, 2, 0, 16, 'RO'],
  vfStride:               [0x16, 2, 0, 16, 'RO'],
  vfDeviceId:             [0x1a, 2, 0, 16, 'RO'],
  supportedPageSizes:     [0x1c, 4, 0, 32, 'RO'],
  systemPageSize:         [0x20, 4, 0, 32, 'RW'],
} as const satisfies Record<string, Field>;

const migrationStateArray = {
  migrationStateBir:    [0x3c, 4, 0, 3, 'RO'],
  migrationStateOffset: [0x3c, 4, 3, 29, 'RO'],
} as const satisfies Record<string, Field>;

export const sriovRegisters: readonly RegisterBlock[] = [
  { name: 'sriovCapabilities', fields: sriovCapabilities },
  { name: 'sriovControl', fields: sriovControl },
  { name: 'sriovStatus', fields: sriovStatus },
  { name: 'virtualFunctions', fields: sriovNumbers },
  { name: 'vfBar', fields: { value: [0x00, 4, 0, 32, 'RW'] }, from: 0x24, count: 6, size: 4 },
  { name: 'vfMigrationStateArray', fields: migrationStateArray },
];
