import { bits, ifSet, product, recordBits, sum } from '../catalogue/length-term.js';
import { type Field, type RegisterBlock } from './field.js';

/** "IDE Capability Register" and "IDE Control Register". */
const ideCapability = {
  linkIdeSupported:                   [0x04, 4, 0, 1, 'HwInit'],
  selectiveIdeSupported:              [0x04, 4, 1, 1, 'HwInit'],
  flowThroughSupported:               [0x04, 4, 2, 1, 'HwInit'],
  partialHeaderEncryptionSupported:   [0x04, 4, 3, 1, 'HwInit'],
  aggregationSupported:               [0x04, 4, 4, 1, 'HwInit'],
  pcrcSupported:                      [0x04, 4, 5, 1, 'HwInit'],
  ideKmSupported:                     [0x04, 4, 6, 1, 'HwInit'],
  selectiveForConfigurationRequestsSupported: [0x04, 4, 7, 1, 'HwInit'],
  supportedAlgorithms:                [0x04, 4, 8, 5, 'HwInit'],
  linkTrafficClasses:                 [0x04, 4, 13, 3, 'HwInit'],   // less one
  selectiveStreams:                   [0x04, 4, 16, 8, 'HwInit'],   // less one
  teeLimitedStreamSupported:          [0x04, 4, 24, 1, 'HwInit'],
  xtSupported:                        [0x04, 4, 25, 1, 'HwInit'],
} as const satisfies Record<string, Field>;

const ideControl = {
  flowThroughEnabled: [0x08, 4, 2, 1, 'RW'],
} as const satisfies Record<string, Field>;

/** What link and selective stream control registers have in common. */
function streamControl(at: number): Record<string, Field> {
  return {
    enable:                      [at, 4, 0, 1, 'RW'],
    txAggregationModeNpr:        [at, 4, 2, 2, 'RW'],
    txAggregationModePr:         [at, 4, 4, 2, 'RW'],
    txAggregationModeCpl:        [at, 4, 6, 2, 'RW'],
    pcrcEnable:                  [at, 4, 8, 1, 'RW'],
    partialHeaderEncryptionMode: [at, 4, 10, 4, 'RW'],
    selectedAlgorithm:           [at, 4, 14, 5, 'RW'],
    tc:                          [at, 4, 19, 3, 'RW'],
    streamId:                    [at, 4, 24, 8, 'RW'],
  };
}

function streamStatus(at: number): Record<string, Field> {
  return {
    streamState:                     [at, 4, 0, 4, 'RO'],
    receivedIntegrityCheckFail:      [at, 4, 31, 1, 'RW1C'],
  };
}

const selectiveStream = {
  addressAssociationBlocks: [0x00, 4, 0, 4, 'HwInit'],
  ...streamControl(0x04),
  xtEnable:                    [0x04, 4, 1, 1, 'RW'],
  configurationRequestsEnable: [0x04, 4, 9, 1, 'RW'],
  defaultStream:               [0x04, 4, 22, 1, 'RW'],
  teeLimitedStream:            [0x04, 4, 23, 1, 'RW'],
  ...streamStatus(0x08),
  ridLimit:                    [0x0c, 4, 8, 16, 'RW'],
  ridValid:                    [0x10, 4, 0, 1, 'RW'],
  ridBase:                     [0x10, 4, 8, 16, 'RW'],
  ridSegmentBase:              [0x10, 4, 24, 8, 'RW'],
} as const satisfies Record<string, Field>;

/** "IDE Address Association Register Block". */
const addressAssociation = {
  valid:            [0x00, 4, 0, 1, 'RW'],
  memoryBaseLower:  [0x00, 4, 8, 12, 'RW'],
  memoryLimitLower: [0x00, 4, 20, 12, 'RW'],
  memoryLimitUpper: [0x04, 4, 0, 32, 'RW'],
  memoryBaseUpper:  [0x08, 4, 0, 32, 'RW'],
} as const satisfies Record<string, Field>;

const linkStreams = ifSet(bits(0x04, 4, 0, 1), sum(1, bits(0x04, 4, 13, 3)));

/** Integrity and Data Encryption. PCIe Base Specification, "IDE Extended Capability". */
export const ideRegisters: readonly RegisterBlock[] = [
  { name: 'ideCapability', fields: ideCapability },
  { name: 'ideControl', fields: ideControl },
  { name: 'linkStream', fields: { ...streamControl(0), ...streamStatus(4) }, from: 0x0c, count: linkStreams, size: 8 },
  {
    name: 'selectiveStream',
    fields: selectiveStream,
    from: sum(0x0c, product(8, linkStreams)),
    count: ifSet(bits(0x04, 4, 1, 1), sum(1, bits(0x04, 4, 16, 8))),
    size: sum(20, product(12, recordBits(0x00, 4, 0, 4))),
    inside: [{
      name: 'addressAssociation', fields: addressAssociation, from: 20, count: recordBits(0x00, 4, 0, 4), size: 12,
    }],
  },
];
