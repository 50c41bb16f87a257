import { type CapabilitySpace, type ConfigSpace } from '@cadastre/config-space';

/**
 * A read-only field that promises a guest something: with a smaller value the promise is weaker. `bits`: each bit is a
 * promise of its own. `none-is-most`: 0 stands for one more than the largest value. `same`: where the hardware has
 * something; another value is another place, and no VMM can show otherwise than it is.
 */
export interface PromisedField {
  readonly name: string;
  /** Offset of the register's DWORD in the capability. */
  readonly at: number;
  readonly lsb: number;
  readonly width: number;
  readonly counts: 'number' | 'bits' | 'none-is-most' | 'same';
}

const number = (name: string, at: number, lsb: number, width: number): PromisedField =>
  ({ name, at, lsb, width, counts: 'number' });
const bits = (name: string, at: number, lsb: number, width: number): PromisedField =>
  ({ name, at, lsb, width, counts: 'bits' });
const same = (name: string, at: number, lsb: number, width: number): PromisedField =>
  ({ name, at, lsb, width, counts: 'same' });

/** At most six resizable BARs: PCIe Base Specification, "Resizable BAR Extended Capability". */
const resizableBars: readonly PromisedField[] = [0, 1, 2, 3, 4, 5].flatMap((bar) => [
  bits(`bar[${bar}].supportedSizes`, 4 + 8 * bar, 4, 28), number(`bar[${bar}].barSize`, 8 + 8 * bar, 8, 5),
  same(`bar[${bar}].barIndex`, 8 + 8 * bar, 0, 3)]);

/** By list and capability ID; names and places are those of the register tables. */
const promised: Readonly<Record<CapabilitySpace, Readonly<Record<number, readonly PromisedField[]>>>> = {
  standard: {
    0x05: [number('multipleMessageCapable', 0x00, 17, 3), bits('address64Capable', 0x00, 23, 1),
      bits('perVectorMaskingCapable', 0x00, 24, 1)],
    0x10: [
      number('maxPayloadSizeSupported', 0x04, 0, 3), bits('extendedTagFieldSupported', 0x04, 5, 1),
      bits('functionLevelResetCapability', 0x04, 28, 1),
      number('maxLinkSpeed', 0x0c, 0, 4), number('maximumLinkWidth', 0x0c, 4, 6),
      bits('completionTimeoutRangesSupported', 0x24, 0, 4), bits('atomicOpCompleters', 0x24, 7, 3),
      bits('ltrMechanismSupported', 0x24, 11, 1), bits('tenBitTagsSupported', 0x24, 16, 2),
      bits('endEndTlpPrefixSupported', 0x24, 21, 1),
    ],
    0x11: [number('tableSize', 0x00, 16, 11), same('table', 0x04, 0, 32), same('pendingBitArray', 0x08, 0, 32)],
  },
  extended: {
    0x000d: [bits('accessControlServices', 0x04, 0, 7)],
    0x000f: [{ name: 'invalidateQueueDepth', at: 0x04, lsb: 0, width: 5, counts: 'none-is-most' },
      bits('pageAlignedRequest', 0x04, 5, 1), bits('globalInvalidateSupported', 0x04, 6, 1)],
    0x0010: [number('totalVfs', 0x0c, 16, 16), same('firstVfOffset', 0x14, 0, 16), same('vfStride', 0x14, 16, 16)],
    0x0013: [number('outstandingPageRequestCapacity', 0x08, 0, 32)],
    0x0015: resizableBars,
    0x0017: [number('stTableSize', 0x04, 16, 11)],
    0x001b: [bits('executeSupported', 0x04, 1, 1), bits('privilegedSupported', 0x04, 2, 1),
      number('maxPasidWidth', 0x04, 8, 5)],
  },
};

const none: readonly PromisedField[] = [];

/** The promises of a capability that lie inside its length. */
export function promisedFields(space: CapabilitySpace, id: number, length: number): readonly PromisedField[] {
  const fields = promised[space][id] ?? none;
  return fields.every(({ at }) => at + 4 <= length) ? fields : fields.filter(({ at }) => at + 4 <= length);
}

export function readPromise(space: ConfigSpace, capabilityAt: number, { at, lsb, width }: PromisedField): number {
  return Math.floor(space.u32(capabilityAt + at) / 2 ** lsb) % 2 ** width;
}

/** True when a guest that was promised `promise` gets less, or something else where only the same will do. */
export function isWeaker(field: PromisedField, promise: number, given: number): boolean {
  if (field.counts === 'same') return given !== promise;
  if (field.counts === 'bits') return (promise & ~given) !== 0;
  const size = (value: number): number => (field.counts === 'none-is-most' && value === 0 ? 2 ** field.width : value);
  return size(given) < size(promise);
}

/** The most that both can keep. */
export function commonPromise(field: PromisedField, one: number, other: number): number {
  if (field.counts === 'bits') return (one & other) >>> 0;
  return isWeaker(field, one, other) ? other : one;
}
