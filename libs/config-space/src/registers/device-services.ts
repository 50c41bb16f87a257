import { type Field, type RegisterBlock } from './field.js';

/** "PTM Capability Register" and "PTM Control Register". */
const ptmCapability = {
  requesterCapable:      [0x04, 4, 0, 1, 'HwInit'],
  responderCapable:      [0x04, 4, 1, 1, 'HwInit'],
  rootCapable:           [0x04, 4, 2, 1, 'HwInit'],
  localClockGranularity: [0x04, 4, 8, 8, 'HwInit'],     // nanoseconds
} as const satisfies Record<string, Field>;

const ptmControl = {
  enable:               [0x08, 4, 0, 1, 'RW'],
  rootSelect:           [0x08, 4, 1, 1, 'RW'],
  effectiveGranularity: [0x08, 4, 8, 8, 'RW'],
} as const satisfies Record<string, Field>;

/** Precision Time Measurement. PCIe Base Specification, "PTM Extended Capability". */
export const ptmRegisters: readonly RegisterBlock[] = [
  { name: 'ptmCapability', fields: ptmCapability },
  { name: 'ptmControl', fields: ptmControl },
];

const doeCapabilities = {
  interruptSupported:     [0x04, 4, 0, 1, 'HwInit'],
  interruptMessageNumber: [0x04, 4, 1, 11, 'RO'],
} as const satisfies Record<string, Field>;

const doeControl = {
  abort:           [0x08, 4, 0, 1, 'RW'],
  interruptEnable: [0x08, 4, 1, 1, 'RW'],
  go:              [0x08, 4, 31, 1, 'RW'],
} as const satisfies Record<string, Field>;

const doeStatus = {
  busy:            [0x0c, 4, 0, 1, 'RO'],
  interruptStatus: [0x0c, 4, 1, 1, 'RW1C'],
  error:           [0x0c, 4, 2, 1, 'RO'],
  dataObjectReady: [0x0c, 4, 31, 1, 'RO'],
} as const satisfies Record<string, Field>;

const doeMailboxes = {
  writeDataMailbox: [0x10, 4, 0, 32, 'RW'],
  readDataMailbox:  [0x14, 4, 0, 32, 'RW'],
} as const satisfies Record<string, Field>;

/** Data Object Exchange, 24 bytes. PCIe Base Specification, "DOE Extended Capability". */
export const doeRegisters: readonly RegisterBlock[] = [
  { name: 'doeCapabilities', fields: doeCapabilities },
  { name: 'doeControl', fields: doeControl },
  { name: 'doeStatus', fields: doeStatus },
  { name: 'doeMailboxes', fields: doeMailboxes },
];

const device3Capabilities = {
  dmwrRequestRoutingSupported:      [0x04, 4, 0, 1, 'HwInit'],
  fourteenBitTagCompleterSupported: [0x04, 4, 1, 1, 'HwInit'],
  fourteenBitTagRequesterSupported: [0x04, 4, 2, 1, 'HwInit'],
  l0pSupported:                     [0x04, 4, 3, 1, 'HwInit'],
  portL0pExitLatency:               [0x04, 4, 4, 3, 'HwInit'],
  retimerL0pExitLatency:            [0x04, 4, 7, 3, 'HwInit'],
  uioMemoryCompleterSupported:      [0x04, 4, 10, 1, 'HwInit'],
  uioMemoryRequesterSupported:      [0x04, 4, 11, 1, 'HwInit'],
} as const satisfies Record<string, Field>;

const device3Control = {
  dmwrRequesterEnable:            [0x08, 4, 0, 1, 'RW'],
  dmwrEgressBlocking:             [0x08, 4, 1, 1, 'RW'],
  fourteenBitTagRequesterEnable:  [0x08, 4, 2, 1, 'RW'],
  l0pEnable:                      [0x08, 4, 3, 1, 'RW'],
  targetLinkWidth:                [0x08, 4, 4, 3, 'RW'],
  uioMemoryRequesterEnable:       [0x08, 4, 7, 1, 'RW'],
  uioRequest256ByteBoundaryDisable: [0x08, 4, 8, 1, 'RW'],
} as const satisfies Record<string, Field>;

const device3Status = {
  initialLinkWidth:   [0x0c, 4, 0, 3, 'RO'],
  segmentCaptured:    [0x0c, 4, 3, 1, 'RO'],
  remoteL0pSupported: [0x0c, 4, 4, 1, 'RO'],
} as const satisfies Record<string, Field>;

/** Device 3, 16 bytes. PCIe Base Specification, "Device 3 Extended Capability". */
export const device3Registers: readonly RegisterBlock[] = [
  { name: 'deviceCapabilities3', fields: device3Capabilities },
  { name: 'deviceControl3', fields: device3Control },
  { name: 'deviceStatus3', fields: device3Status },
];
