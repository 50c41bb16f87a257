import { bits, sum } from '../catalogue/length-term.js';
import { type Field, type RegisterBlock } from './field.js';

/** "Port VC Capability Register 1" and 2, "Port VC Control Register", "Port VC Status Register". */
const port = {
  extendedVcCount:                  [0x04, 4, 0, 3, 'RO'],
  lowPriorityExtendedVcCount:       [0x04, 4, 4, 3, 'RO'],
  referenceClock:                   [0x04, 4, 8, 2, 'RO'],
  portArbitrationTableEntrySize:    [0x04, 4, 10, 2, 'RO'],   // 1, 2, 4, 8 bits
  vcArbitrationCapability:          [0x08, 4, 0, 8, 'RO'],
  vcArbitrationTableOffset:         [0x08, 4, 24, 8, 'RO'],   // in units of 16 bytes
  loadVcArbitrationTable:           [0x0c, 2, 0, 1, 'RW'],
  vcArbitrationSelect:              [0x0c, 2, 1, 3, 'RW'],
  vcArbitrationTableStatus:         [0x0e, 2, 0, 1, 'RO'],
} as const satisfies Record<string, Field>;

/** "VC Resource Capability Register", "VC Resource Control Register", "VC Resource Status Register". */
const resource = {
  portArbitrationCapability:  [0x00, 4, 0, 8, 'RO'],
  rejectSnoopTransactions:    [0x00, 4, 15, 1, 'HwInit'],
  maximumTimeSlots:           [0x00, 4, 16, 7, 'HwInit'],
  portArbitrationTableOffset: [0x00, 4, 24, 8, 'RO'],
  tcVcMap:                    [0x04, 4, 0, 8, 'RW'],
  loadPortArbitrationTable:   [0x04, 4, 16, 1, 'RW'],
  portArbitrationSelect:      [0x04, 4, 17, 3, 'RW'],
  vcId:                       [0x04, 4, 24, 3, 'RW'],
  vcEnable:                   [0x04, 4, 31, 1, 'RW'],
  portArbitrationTableStatus: [0x0a, 2, 0, 1, 'RO'],
  vcNegotiationPending:       [0x0a, 2, 1, 1, 'RO'],
} as const satisfies Record<string, Field>;

/** Virtual Channel and Multi-Function Virtual Channel. PCIe Base Specification,
  "Virtual Channel Extended Capability". */
export const virtualChannelRegisters: readonly RegisterBlock[] = [
  { name: 'port', fields: port },
  { name: 'vcResource', fields: resource, from: 0x10, count: sum(1, bits(0x04, 4, 0, 3)), size: 0x0c },
];
