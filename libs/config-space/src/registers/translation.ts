import { type Field, type RegisterBlock } from './field.js';

/** PASID Extended Capability, 8 bytes. PCIe Base Specification, "PASID Extended Capability". */
const pasidCapability = {
  executeSupported:    [0x04, 2, 1, 1, 'RO'],
  privilegedSupported: [0x04, 2, 2, 1, 'RO'],
  maxPasidWidth:       [0x04, 2, 8, 5, 'RO'],
} as const satisfies Record<string, Field>;

const pasidControl = {
  enable:           [0x06, 2, 0, 1, 'RW'],
  executeEnable:    [0x06, 2, 1, 1, 'RW'],
  privilegedEnable: [0x06, 2, 2, 1, 'RW'],
} as const satisfies Record<string, Field>;

export const pasidRegisters: readonly RegisterBlock[] = [
  { name: 'pasidCapability', fields: pasidCapability },
  { name: 'pasidControl', fields: pasidControl },
];

/** ATS Extended Capability, 8 bytes. PCIe Base Specification, "ATS Extended Capability". */
const atsCapability = {
  invalidateQueueDepth:        [0x04, 2, 0, 5, 'RO'],   // 0 is 32
  pageAlignedRequest:          [0x04, 2, 5, 1, 'RO'],
  globalInvalidateSupported:   [0x04, 2, 6, 1, 'RO', 'UNCONFIRMED'],
  relaxedOrderingSupported:    [0x04, 2, 7, 1, 'RO', 'UNCONFIRMED'],
} as const satisfies Record<string, Field>;

const atsControl = {
  smallestTranslationUnit: [0x06, 2, 0, 5, 'RW'],       // 0 is 4 KiB
  enable:                  [0x06, 2, 15, 1, 'RW'],
} as const satisfies Record<string, Field>;

export const atsRegisters: readonly RegisterBlock[] = [
  { name: 'atsCapability', fields: atsCapability },
  { name: 'atsControl', fields: atsControl },
];

/** Page Request Extended Capability, 16 bytes. PCIe Base Specification, "Page Request Extended Capability". */
const pageRequestControl = {
  enable: [0x04, 2, 0, 1, 'RW'],
  reset:  [0x04, 2, 1, 1, 'RW'],
} as const satisfies Record<string, Field>;

const pageRequestStatus = {
  responseFailure:                    [0x06, 2, 0, 1, 'RW1C'],
  unexpectedPageRequestGroupIndex:    [0x06, 2, 1, 1, 'RW1C'],
  stopped:                            [0x06, 2, 8, 1, 'RO'],
  prgResponsePasidRequired:           [0x06, 2, 15, 1, 'RO'],
} as const satisfies Record<string, Field>;

const pageRequestCredits = {
  outstandingPageRequestCapacity:   [0x08, 4, 0, 32, 'RO'],
  outstandingPageRequestAllocation: [0x0c, 4, 0, 32, 'RW'],
} as const satisfies Record<string, Field>;

export const priRegisters: readonly RegisterBlock[] = [
  { name: 'pageRequestControl', fields: pageRequestControl },
  { name: 'pageRequestStatus', fields: pageRequestStatus },
  { name: 'outstandingPageRequests', fields: pageRequestCredits },
];
