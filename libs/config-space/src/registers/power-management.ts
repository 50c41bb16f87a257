import { type Field, type RegisterBlock } from './field.js';

/** Power Management Capabilities. PCI Bus Power Management Interface Specification, "PMC". */
const capabilities = {
  version:                      [0x02, 2, 0, 3, 'RO'],
  pmeClock:                     [0x02, 2, 3, 1, 'RO'],
  immediateReadinessOnReturnToD0: [0x02, 2, 4, 1, 'RO'],
  deviceSpecificInitialization: [0x02, 2, 5, 1, 'RO'],
  auxCurrent:                   [0x02, 2, 6, 3, 'RO'],
  d1Support:                    [0x02, 2, 9, 1, 'RO'],
  d2Support:                    [0x02, 2, 10, 1, 'RO'],
  pmeSupport:                   [0x02, 2, 11, 5, 'RO'],  // D0, D1, D2, D3hot, D3cold
} as const satisfies Record<string, Field>;

/** "Power Management Control/Status". */
const controlStatus = {
  powerState:  [0x04, 2, 0, 2, 'RW'],
  noSoftReset: [0x04, 2, 3, 1, 'RO'],
  pmeEnable:   [0x04, 2, 8, 1, 'RWS'],
  dataSelect:  [0x04, 2, 9, 4, 'RW'],
  dataScale:   [0x04, 2, 13, 2, 'RO'],
  pmeStatus:   [0x04, 2, 15, 1, 'RW1CS'],
} as const satisfies Record<string, Field>;

export const powerManagementRegisters: readonly RegisterBlock[] = [
  { name: 'powerManagementCapabilities', fields: capabilities },
  { name: 'powerManagementControlStatus', fields: controlStatus },
  { name: 'data', fields: { data: [0x07, 1, 0, 8, 'RO'] } },
];

/** L1 PM Substates Extended Capability. PCIe Base Specification, "L1 PM Substates Extended Capability". */
const l1SubstatesCapabilities = {
  pciPmL12Supported:         [0x04, 4, 0, 1, 'HwInit'],
  pciPmL11Supported:         [0x04, 4, 1, 1, 'HwInit'],
  aspmL12Supported:          [0x04, 4, 2, 1, 'HwInit'],
  aspmL11Supported:          [0x04, 4, 3, 1, 'HwInit'],
  l1PmSubstatesSupported:    [0x04, 4, 4, 1, 'HwInit'],
  portCommonModeRestoreTime: [0x04, 4, 8, 8, 'RO'],      // microseconds
  portTPowerOnScale:         [0x04, 4, 16, 2, 'RO'],
  portTPowerOnValue:         [0x04, 4, 19, 5, 'RO'],
} as const satisfies Record<string, Field>;

const l1SubstatesControl1 = {
  pciPmL12Enable:        [0x08, 4, 0, 1, 'RW'],
  pciPmL11Enable:        [0x08, 4, 1, 1, 'RW'],
  aspmL12Enable:         [0x08, 4, 2, 1, 'RW'],
  aspmL11Enable:         [0x08, 4, 3, 1, 'RW'],
  commonModeRestoreTime: [0x08, 4, 8, 8, 'RW'],
  ltrL12ThresholdValue:  [0x08, 4, 16, 10, 'RW'],
  ltrL12ThresholdScale:  [0x08, 4, 29, 3, 'RW'],
} as const satisfies Record<string, Field>;

const l1SubstatesControl2 = {
  tPowerOnScale: [0x0c, 4, 0, 2, 'RW'],
  tPowerOnValue: [0x0c, 4, 3, 5, 'RW'],
} as const satisfies Record<string, Field>;

export const l1SubstatesRegisters: readonly RegisterBlock[] = [
  { name: 'l1PmSubstatesCapabilities', fields: l1SubstatesCapabilities },
  { name: 'l1PmSubstatesControl1', fields: l1SubstatesControl1 },
  { name: 'l1PmSubstatesControl2', fields: l1SubstatesControl2 },
];

/** Latency Tolerance Reporting, 8 bytes. PCIe Base Specification, "Latency Tolerance Reporting (LTR)". */
const ltrLatencies = {
  maxSnoopLatencyValue:   [0x04, 2, 0, 10, 'RW'],
  maxSnoopLatencyScale:   [0x04, 2, 10, 3, 'RW'],
  maxNoSnoopLatencyValue: [0x06, 2, 0, 10, 'RW'],
  maxNoSnoopLatencyScale: [0x06, 2, 10, 3, 'RW'],
} as const satisfies Record<string, Field>;

export const ltrRegisters: readonly RegisterBlock[] = [{ name: 'maxLatencies', fields: ltrLatencies }];
