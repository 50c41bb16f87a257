import { type ByteRange, type CapabilitySpace, type ConfigSpace } from '@cadastre/config-space';
import { type FunctionMatch } from './function-match.js';

/** A register field of a synthetic capability: offset of its DWORD in the capability, lowest bit, width. */
export type SyntheticField = readonly [at: number, lsb: number, width: number];

/** Bits a guest may write; where a field is named they exist only while that field is not 0. */
type ControlField = readonly [at: number, lsb: number, width: number, onlyWith?: string];

/** A capability Cadastre can build: one row each, so that the next one is data. */
export interface SyntheticCapability {
  readonly space: CapabilitySpace;
  readonly id: number;
  /** 0 for standard capabilities, which have none. */
  readonly version: number;
  readonly lengthBytes: number;
  /** The fields a request sets. Everything else behind the header is a constant, or 0 as after a reset. */
  readonly fields: Readonly<Record<string, SyntheticField>>;
  /** Bits set in every instance: a DWORD for each offset. */
  readonly constants?: Readonly<Record<number, number>>;
  readonly controls?: Readonly<Record<string, ControlField>>;
  /** The only places it may have, best first. */
  readonly offsets?: readonly number[];
  /** Functions may list others with the same ID, which are something else. */
  readonly sharesId?: true;
  /** Its content is what a request says: neither hardware nor IOMMU tells it. */
  readonly contentRequested?: true;
  /** The device itself has to take part: without hardware behind it a guest waits for answers that never come. */
  readonly needsHardware?: true;
  readonly only?: FunctionMatch;
  /** Bytes that tell something about the host: they differ from host to host. */
  readonly hostBound?: readonly ByteRange[];
}

/** PCIe Base Specification, "PASID Extended Capability": capability at 04h, control at 06h (reset value 0). */
const pasid = {
  space: 'extended', id: 0x001b, version: 1, lengthBytes: 8,
  fields: {
    executeSupported: [0x04, 1, 1],
    privilegedSupported: [0x04, 2, 1],
    maxPasidWidth: [0x04, 8, 5],
  },
  controls: {
    enable: [0x04, 16, 1],
    executeEnable: [0x04, 17, 1, 'executeSupported'],
    privilegedEnable: [0x04, 18, 1, 'privilegedSupported'],
  },
} as const satisfies SyntheticCapability;

/**
 * PCIe Base Specification, "Page Request Extended Capability": control at 04h, status at 06h. Status comes up 0x0100,
 * Stopped: system software refuses to enable the interface otherwise.
 */
const pri = {
  space: 'extended', id: 0x0013, version: 1, lengthBytes: 16, needsHardware: true,
  fields: {
    prgResponsePasidRequired: [0x04, 31, 1],
    outstandingPageRequestCapacity: [0x08, 0, 32],
  },
  constants: { 0x04: 0x01000000 },
  controls: {
    enable: [0x04, 0, 1],
    reset: [0x04, 1, 1],
    responseFailure: [0x04, 16, 1],
    unexpectedPageRequestGroupIndex: [0x04, 17, 1],
    outstandingPageRequestAllocation: [0x0c, 0, 32],
  },
} as const satisfies SyntheticCapability;

/** PCIe Base Specification, "ATS Extended Capability": capability at 04h, control at 06h. */
const ats = {
  space: 'extended', id: 0x000f, version: 1, lengthBytes: 8, needsHardware: true,
  fields: {
    invalidateQueueDepth: [0x04, 0, 5],
    pageAlignedRequest: [0x04, 5, 1],
    globalInvalidateSupported: [0x04, 6, 1],
    relaxedOrderingSupported: [0x04, 7, 1],
  },
  controls: { smallestTranslationUnit: [0x04, 16, 5], enable: [0x04, 31, 1] },
} as const satisfies SyntheticCapability;

/** PCIe Base Specification, "Device Serial Number Extended Capability": data alone. */
const dsn = {
  space: 'extended', id: 0x0003, version: 1, lengthBytes: 12, contentRequested: true,
  fields: { serialNumberLower: [0x04, 0, 32], serialNumberUpper: [0x08, 0, 32] },
} as const satisfies SyntheticCapability;

/** PCIe Base Specification, "ACS Extended Capability", without the egress control vector. */
const acs = {
  space: 'extended', id: 0x000d, version: 1, lengthBytes: 8,
  fields: {
    sourceValidation: [0x04, 0, 1],
    translationBlocking: [0x04, 1, 1],
    p2pRequestRedirect: [0x04, 2, 1],
    p2pCompletionRedirect: [0x04, 3, 1],
    upstreamForwarding: [0x04, 4, 1],
    directTranslatedP2p: [0x04, 6, 1],
  },
  controls: {
    sourceValidationEnable: [0x04, 16, 1, 'sourceValidation'],
    translationBlockingEnable: [0x04, 17, 1, 'translationBlocking'],
    p2pRequestRedirectEnable: [0x04, 18, 1, 'p2pRequestRedirect'],
    p2pCompletionRedirectEnable: [0x04, 19, 1, 'p2pCompletionRedirect'],
    upstreamForwardingEnable: [0x04, 20, 1, 'upstreamForwarding'],
    directTranslatedP2pEnable: [0x04, 22, 1, 'directTranslatedP2p'],
  },
} as const satisfies SyntheticCapability;

/** A structure under a vendor ID of one's own. PCIe Base Specification, "Designated Vendor-Specific". 16 bytes. */
const dvsec = {
  space: 'extended', id: 0x0023, version: 1, lengthBytes: 16, sharesId: true, contentRequested: true,
  fields: {
    dvsecVendorId: [0x04, 0, 16],
    dvsecRevision: [0x04, 16, 4],
    dvsecId: [0x08, 0, 16],
    valueLow: [0x08, 16, 16],
    valueHigh: [0x0c, 0, 32],
  },
  constants: { 0x04: 16 * 2 ** 20 },
} as const satisfies SyntheticCapability;

/** Fact Q7: `P2P` and the clique in an 8-byte vendor capability, at C8 or, where that is taken, at D4. */
const nvidiaClique = {
  space: 'standard', id: 0x09, version: 0, lengthBytes: 8, sharesId: true, contentRequested: true,
  fields: { clique: [0x04, 19, 4] },
  constants: { 0x00: 0x50080000, 0x04: 0x00005032 },
  offsets: [0xc8, 0xd4],
  only: { vendorId: 0x10de, classes: [0x0300, 0x0301, 0x0302, 0x0380] },
} as const satisfies SyntheticCapability;

/** Fact Q8: the host's MEMBAR addresses behind a signature, at E8 alone. */
const vmdShadow = {
  space: 'standard', id: 0x09, version: 0, lengthBytes: 24, sharesId: true, contentRequested: true,
  fields: {
    membar1Lower: [0x08, 0, 32], membar1Upper: [0x0c, 0, 32],
    membar2Lower: [0x10, 0, 32], membar2Upper: [0x14, 0, 32],
  },
  constants: { 0x00: 0x01180000, 0x04: 0x53484457 },
  offsets: [0xe8],
  only: { vendorId: 0x8086, deviceIds: [0x201d, 0x467f, 0x4c3d, 0x9a0b] },
  hostBound: [{ offset: 8, length: 16 }],
} as const satisfies SyntheticCapability;

/** Every capability a VM may ask for by name. */
export const syntheticCapabilities = {
  pasid, pri, ats, dsn, acs, dvsec, 'nvidia-clique': nvidiaClique, 'vmd-shadow': vmdShadow,
} as const satisfies Record<string, SyntheticCapability>;

export type SyntheticName = keyof typeof syntheticCapabilities;

/** The row of a name, with the parts that only some rows have. */
export function syntheticCapability(name: SyntheticName): SyntheticCapability {
  return syntheticCapabilities[name];
}

export function isSyntheticName(name: string): name is SyntheticName {
  return Object.hasOwn(syntheticCapabilities, name);
}

/** Values of the fields of one synthetic capability, by field name. */
export type SyntheticRegisters = Readonly<Record<string, number>>;

/** What the fields of a capability read at an offset. */
export function registersIn(space: ConfigSpace, name: SyntheticName, offset: number): SyntheticRegisters {
  return Object.fromEntries(Object.entries(syntheticCapability(name).fields).map(([field, [at, lsb, width]]) =>
    [field, Math.floor(space.u32(offset + at) / 2 ** lsb) % 2 ** width]));
}

/** The DWORDs behind the header. A value that does not fit its field, or has none, is a bug and throws. */
export function bodyDwords(capability: SyntheticCapability, registers: SyntheticRegisters): readonly number[] {
  return capabilityDwords(capability, registers).slice(1);
}

/** All DWORDs; of the first only what is behind the header: the upper half of a standard one, nothing else. */
export function capabilityDwords(capability: SyntheticCapability, registers: SyntheticRegisters): readonly number[] {
  const dwords = new Array<number>(capability.lengthBytes / 4).fill(0);
  for (const [at, value] of Object.entries(capability.constants ?? {})) dwords[Number(at) / 4] = value;
  for (const [name, value] of Object.entries(registers)) {
    const field = capability.fields[name];
    if (field === undefined) throw new RangeError(`capability ${capability.id} has no field ${name}`);
    const [at, lsb, width] = field;
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** width) {
      throw new RangeError(`${name} = ${value} does not fit ${width} bits`);
    }
    dwords[at / 4] = ((dwords[at / 4] ?? 0) | (value << lsb)) >>> 0;
  }
  return dwords;
}

/** The bits of each DWORD a guest may write, by their offset in the capability; DWORDs without any are left out. */
export function writableBits(
  capability: SyntheticCapability, registers: SyntheticRegisters,
): readonly { readonly offset: number; readonly mask: number }[] {
  const masks = new Map<number, number>();
  for (const [at, lsb, width, onlyWith] of Object.values(capability.controls ?? {})) {
    if (onlyWith !== undefined && (registers[onlyWith] ?? 0) === 0) continue;
    const bits = ((2 ** width - 1) << lsb) >>> 0;
    masks.set(at, ((masks.get(at) ?? 0) | bits) >>> 0);
  }
  return [...masks].sort(([a], [b]) => a - b).map(([offset, mask]) => ({ offset, mask }));
}

/** The bits of one DWORD a guest may write in any instance. */
export function writableBitsAtMost(capability: SyntheticCapability, dword: number): number {
  return Object.values(capability.controls ?? {}).reduce((mask, [at, lsb, width]) =>
    (at === dword ? (mask | ((2 ** width - 1) << lsb)) >>> 0 : mask), 0);
}
