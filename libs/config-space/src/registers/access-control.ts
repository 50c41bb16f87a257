import { type Access, type Field, type RegisterBlock } from './field.js';
import { bits, ceilDiv, choose } from '../catalogue/length-term.js';

/** The services of both ACS registers, bits 0..6. PCIe Base Specification, "ACS Capability Register". */
function services(at: number, access: Access): Record<string, Field> {
  return {
    sourceValidation:       [at, 2, 0, 1, access],
    translationBlocking:    [at, 2, 1, 1, access],
    p2pRequestRedirect:     [at, 2, 2, 1, access],
    p2pCompletionRedirect:  [at, 2, 3, 1, access],
    upstreamForwarding:     [at, 2, 4, 1, access],
    p2pEgressControl:       [at, 2, 5, 1, access],
    directTranslatedP2p:    [at, 2, 6, 1, access],
  };
}

/** ACS Extended Capability. PCIe Base Specification, "ACS Extended Capability". */
export const acsRegisters: readonly RegisterBlock[] = [
  { name: 'acsCapability', fields: { ...services(0x04, 'RO'), egressControlVectorSize: [0x04, 2, 8, 8, 'HwInit'] } },
  { name: 'acsControl', fields: services(0x06, 'RW') },
  {
    name: 'egressControlVector',
    fields: { ports: [0x00, 4, 0, 32, 'RW'] },
    from: 8,
    when: bits(0x04, 2, 5, 1),
    count: choose(bits(0x05, 1, 0, 8), { 0: 8 }, ceilDiv(bits(0x05, 1, 0, 8), 32)),
    size: 4,
  },
];

/** ARI Extended Capability, 8 bytes. PCIe Base Specification, "ARI Extended Capability". */
const ariCapability = {
  mfvcFunctionGroups: [0x04, 2, 0, 1, 'RO'],
  acsFunctionGroups:  [0x04, 2, 1, 1, 'RO'],
  nextFunctionNumber: [0x04, 2, 8, 8, 'RO'],
} as const satisfies Record<string, Field>;

const ariControl = {
  mfvcFunctionGroupsEnable: [0x06, 2, 0, 1, 'RW'],
  acsFunctionGroupsEnable:  [0x06, 2, 1, 1, 'RW'],
  functionGroup:            [0x06, 2, 4, 3, 'RW'],
} as const satisfies Record<string, Field>;

export const ariRegisters: readonly RegisterBlock[] = [
  { name: 'ariCapability', fields: ariCapability },
  { name: 'ariControl', fields: ariControl },
];
