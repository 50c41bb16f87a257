import { bits, choose } from '../catalogue/length-term.js';
import { type Field, type RegisterBlock } from './field.js';

/** MSI Message Control. PCI Local Bus Specification, "Message Control for MSI". */
const msiMessageControl = {
  enable:                     [0x02, 2, 0, 1, 'RW'],
  multipleMessageCapable:     [0x02, 2, 1, 3, 'RO'],   // 2 ** value vectors
  multipleMessageEnable:      [0x02, 2, 4, 3, 'RW'],
  address64Capable:           [0x02, 2, 7, 1, 'RO'],
  perVectorMaskingCapable:    [0x02, 2, 8, 1, 'RO'],
  extendedMessageDataCapable: [0x02, 2, 9, 1, 'RO'],
  extendedMessageDataEnable:  [0x02, 2, 10, 1, 'RW'],
} as const satisfies Record<string, Field>;

const messageAddress = {
  messageAddress: [0x04, 4, 2, 30, 'RW'],              // bits 31:2 of the address
} as const satisfies Record<string, Field>;

const upperAddress = {
  messageUpperAddress: [0x08, 4, 0, 32, 'RW'],
} as const satisfies Record<string, Field>;

const messageData = {
  messageData: [0x00, 2, 0, 16, 'RW'],
} as const satisfies Record<string, Field>;

const vectorMasks = {
  maskBits:    [0x00, 4, 0, 32, 'RW'],
  pendingBits: [0x04, 4, 0, 32, 'RO'],
} as const satisfies Record<string, Field>;

const is64Bit = bits(0x02, 2, 7, 1);

export const msiRegisters: readonly RegisterBlock[] = [
  { name: 'messageControl', fields: msiMessageControl },
  { name: 'messageAddress', fields: messageAddress },
  { name: 'messageUpperAddress', fields: upperAddress, when: is64Bit },
  { name: 'messageData', fields: messageData, from: choose(is64Bit, { 1: 0x0c }, 0x08) },
  { name: 'vectorMasks', fields: vectorMasks, from: choose(is64Bit, { 1: 0x10 }, 0x0c), when: bits(0x02, 2, 8, 1) },
];

/** MSI-X Capability, 12 bytes. PCI Local Bus Specification, "MSI-X Capability and Table Structures". */
const msixMessageControl = {
  tableSize:    [0x02, 2, 0, 11, 'RO'],                // vectors less one
  functionMask: [0x02, 2, 14, 1, 'RW'],
  enable:       [0x02, 2, 15, 1, 'RW'],
} as const satisfies Record<string, Field>;

const msixTables = {
  tableBir:    [0x04, 4, 0, 3, 'RO'],
  tableOffset: [0x04, 4, 3, 29, 'RO'],                 // in units of 8 bytes
  pbaBir:      [0x08, 4, 0, 3, 'RO'],
  pbaOffset:   [0x08, 4, 3, 29, 'RO'],
} as const satisfies Record<string, Field>;

export const msixRegisters: readonly RegisterBlock[] = [
  { name: 'messageControl', fields: msixMessageControl },
  { name: 'tables', fields: msixTables },
];
