import { bits, choose, sum } from '../catalogue/length-term.js';
import { type Field, type RegisterBlock } from './field.js';

/** "TPH Requester Capability Register". */
const capability = {
  noStModeSupported:              [0x04, 4, 0, 1, 'RO', 'UNCONFIRMED'],
  interruptVectorModeSupported:   [0x04, 4, 1, 1, 'RO'],
  deviceSpecificModeSupported:    [0x04, 4, 2, 1, 'RO'],
  extendedTphRequesterSupported:  [0x04, 4, 8, 1, 'RO'],
  stTableLocation:                [0x04, 4, 9, 2, 'RO'],     // 0 none, 1 here, 2 in the MSI-X table
  stTableSize:                    [0x04, 4, 16, 11, 'RO'],   // entries less one
} as const satisfies Record<string, Field>;

/** "TPH Requester Control Register". */
const control = {
  stModeSelect:       [0x08, 4, 0, 3, 'RW'],
  tphRequesterEnable: [0x08, 4, 8, 2, 'RW'],
} as const satisfies Record<string, Field>;

/** "TPH ST Table Entry". */
const steeringTag = {
  lower: [0x00, 2, 0, 8, 'RW'],
  upper: [0x00, 2, 8, 8, 'RW'],
} as const satisfies Record<string, Field>;

/** TPH Requester. PCIe Base Specification, "TPH Requester Extended Capability". */
export const tphRegisters: readonly RegisterBlock[] = [
  { name: 'tphRequesterCapability', fields: capability },
  { name: 'tphRequesterControl', fields: control },
  {
    name: 'stEntry', fields: steeringTag, from: 0x0c, size: 2,
    count: choose(bits(0x04, 4, 9, 2), { 1: sum(1, bits(0x04, 4, 16, 11)) }, 0),
  },
];

/** "DPA Capability Register", "DPA Latency Indicator Register", "DPA Status Register", "DPA Control Register". */
const dpa = {
  substateMax:            [0x04, 4, 0, 5, 'RO'],
  transitionLatencyUnit:  [0x04, 4, 8, 2, 'RO'],
  powerAllocationScale:   [0x04, 4, 12, 2, 'RO'],
  transitionLatency0:     [0x04, 4, 16, 8, 'RO'],
  transitionLatency1:     [0x04, 4, 24, 8, 'RO'],
  latencyIndicators:      [0x08, 4, 0, 32, 'RO'],
  substateStatus:         [0x0c, 2, 0, 5, 'RO'],
  substateControlEnabled: [0x0c, 2, 8, 1, 'RW1C'],
  substateControl:        [0x0e, 2, 0, 5, 'RW'],
} as const satisfies Record<string, Field>;

/** Dynamic Power Allocation. PCIe Base Specification, "DPA Extended Capability". */
export const dpaRegisters: readonly RegisterBlock[] = [
  { name: 'dpa', fields: dpa },
  {
    name: 'substate', fields: { powerAllocation: [0x00, 1, 0, 8, 'RO'] }, from: 0x10, size: 1,
    count: sum(1, bits(0x04, 4, 0, 5)),
  },
];
