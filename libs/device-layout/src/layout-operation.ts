import {
  type ByteRange, capabilitiesPointerAt, type Capability, type CapabilitySpace, ConfigOffset, type ConfigPatch,
  occupiedEnd, ok, refuse, type Result, type Survey,
} from '@cadastre/config-space';
import { type CapabilityList } from './capability-list.js';

/** Header fields a layout may show otherwise: offset, bits. PCI Local Bus Specification, "Device Identification". */
const identityFields = {
  vendorId: [0x00, 16], deviceId: [0x02, 16], revision: [0x08, 8], classCode: [0x09, 24],
  subsystemVendorId: [0x2c, 16], subsystemId: [0x2e, 16],
} as const satisfies Record<string, readonly [offset: number, bits: number]>;
export type IdentityField = keyof typeof identityFields;
export const identityFieldNames = Object.keys(identityFields) as readonly IdentityField[];

/** What a layout shows otherwise than the hardware, beside what it adds. */
export type LayoutOperation =
  /** Taken out of its list; its bytes read 0. `offset` null: the only one with this ID. */
  | { readonly kind: 'hide-capability'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number | null; readonly reason: string }
  | { readonly kind: 'replace-identity'; readonly field: IdentityField; readonly value: number;
      readonly reason: string }
  /** Bits of one DWORD that read as those of `value`. */
  | { readonly kind: 'replace-register'; readonly offset: number; readonly mask: number; readonly value: number;
      readonly reason: string }
  /** Bytes that read 0, whatever the hardware has there. */
  | { readonly kind: 'scrub'; readonly offset: number; readonly length: number; readonly reason: string };

/** Why an operation cannot be done. */
export type OperationObstacle =
  | { readonly kind: 'not-listed'; readonly space: CapabilitySpace; readonly id: number }
  | { readonly kind: 'listed-more-than-once'; readonly id: number }
  | { readonly kind: 'meets-a-link'; readonly offset: number }
  | { readonly kind: 'outside-space'; readonly offset: number; readonly length: number; readonly sizeBytes: number }
  | { readonly kind: 'value-too-wide'; readonly value: number; readonly bits: number }
  | { readonly kind: 'no-such-field' };

export type Lists = Readonly<Record<CapabilitySpace, CapabilityList>>;

/** Hides in `lists` what is to be hidden. Answers the patches of one operation, or why it is impossible. */
export function applyOperation(
  operation: LayoutOperation, survey: Survey, lists: Lists,
): Result<readonly ConfigPatch[], OperationObstacle> {
  switch (operation.kind) {
    case 'hide-capability': return hide(operation, survey, lists);
    case 'replace-identity': {
      const [offset, bits] = identityFields[operation.field];
      const { value } = operation;
      if (offset >= 0x2c && survey.header.type !== 0) return refuse({ kind: 'no-such-field' });
      if (!fits(value, bits)) return refuse({ kind: 'value-too-wide', value, bits });
      const bytes = Array.from({ length: bits / 8 }, (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff);
      return ok(bytePatches(offset, bytes));
    }
    case 'replace-register': {
      const { offset, mask, value } = operation;
      const wide = [mask, value].find((one) => !fits(one, 32));
      if (wide !== undefined) return refuse({ kind: 'value-too-wide', value: wide, bits: 32 });
      const at = ConfigOffset.from(offset);
      if (!at.ok) return refuse({ kind: 'outside-space', offset, length: 4, sizeBytes: survey.space.size });
      const because = obstacle({ offset, length: 4 }, survey, lists, mask);
      return because ? refuse(because) : ok([{ offset: at.value, mask, value: (value & mask) >>> 0 }]);
    }
    case 'scrub': {
      const { offset, length } = operation;
      const because = obstacle({ offset, length }, survey, lists);
      return because ? refuse(because) : ok(bytePatches(offset, new Array<number>(length).fill(0)));
    }
  }
}

type HideCapability = Extract<LayoutOperation, { kind: 'hide-capability' }>;

function hide(
  { space, id, offset }: HideCapability, survey: Survey, lists: Lists,
): Result<readonly ConfigPatch[], OperationObstacle> {
  const list = lists[space];
  const found = survey.capabilities.filter((one) => one.space === space && one.id === id
    && list.lists(one.offset) && (offset === null || one.offset === offset));
  const [first, second] = found;
  if (!first) return refuse({ kind: 'not-listed', space, id });
  if (second) return refuse({ kind: 'listed-more-than-once', id });
  list.unlink(first.offset);
  // The anchor that takes the place of a first extended capability has its own patch.
  const from = space === 'extended' && list.hasAnchor && first.offset === 0x100 ? first.offset + 4 : first.offset;
  return ok(ownBytes(first, from, survey));
}

/** Zeroes what the owner map gives to this capability, so that no byte of a neighbour changes. */
function ownBytes(capability: Capability, from: number, { owners, space }: Survey): readonly ConfigPatch[] {
  const patches: ConfigPatch[] = [];
  for (let offset = from; offset < Math.min(occupiedEnd(capability), space.size); offset += 1) {
    if (owners.ownerAt(offset).capability === capability) patches.push(...bytePatches(offset, [0]));
  }
  return patches;
}

/** Links belong to the lists: nothing else may write them. */
function obstacle(range: ByteRange, survey: Survey, lists: Lists, mask = 0xffffffff): OperationObstacle | undefined {
  const { offset, length } = range;
  const sizeBytes = survey.space.size;
  if (!Number.isInteger(offset) || !Number.isInteger(length) || offset < 0 || length < 1
    || offset + length > sizeBytes) {
    return { kind: 'outside-space', offset, length, sizeBytes };
  }
  const meets = (at: number, bytes: number): boolean => {
    for (let one = at; one < at + bytes; one += 1) {
      const covered = one >= offset && one < offset + length;
      // A mask is of one DWORD; a range without one covers its bytes whole.
      if (covered && (length !== 4 || offset % 4 !== 0 || ((mask >>> (8 * (one - offset))) & 0xff) !== 0)) return true;
    }
    return false;
  };
  // The header type says where the list begins; its bit 7 tells of the functions beside this one.
  const typeAt = 0x0e;
  const isTypeKept = length === 4 && offset === (typeAt & ~3) && (mask & 0x007f0000) === 0;
  const head = [0x06, capabilitiesPointerAt(survey.header), ...isTypeKept ? [] : [typeAt]].find((at) => meets(at, 1));
  if (head !== undefined) return { kind: 'meets-a-link', offset: head };
  for (const [space, bytes] of [['standard', 2], ['extended', 4]] as const) {
    const hit = lists[space].entries.find((one) => meets(one.offset, bytes));
    if (hit) return { kind: 'meets-a-link', offset: hit.offset };
  }
  return undefined;
}

function fits(value: number, bits: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** bits;
}

/** Bytes as patches of their DWORDs. */
function bytePatches(from: number, bytes: readonly number[]): readonly ConfigPatch[] {
  return bytes.map((byte, index) => {
    const offset = from + index;
    const shift = (offset % 4) * 8;
    const at = ConfigOffset.from(offset & ~3);
    if (!at.ok) throw new RangeError(`no DWORD at ${offset}`);
    return { offset: at.value, mask: (0xff << shift) >>> 0, value: (byte << shift) >>> 0 };
  });
}

/** The bytes of a header field. */
export function identityBytes(field: IdentityField): readonly number[] {
  const [offset, bits] = identityFields[field];
  return Array.from({ length: bits / 8 }, (_, index) => offset + index);
}
