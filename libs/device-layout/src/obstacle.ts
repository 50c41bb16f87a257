import {
  ByteRange, type Capability, extendedSizeBytes, extendedSpaceAt, headerSizeBytes, occupiedEnd, type Survey,
} from '@cadastre/config-space';
import { type Ground } from './ground.js';
import { type Because } from './refusal.js';

/** What an empty list needs at 0x100 before anything can be linked: one header. */
const anchorRange: ByteRange = { offset: extendedSpaceAt, length: 4 };

/** What keeps a synthetic capability out of a range, or nothing. The first obstacle found is told. */
export function obstacleTo(range: ByteRange, ground: Ground): Because | undefined {
  return outOfBounds(range, ground)
    ?? synthetic(range, ground)
    ?? occupant(range, ground.survey)
    ?? usedElsewhere(range, ground)
    ?? missingAnchor(range, ground);
}

/**
 * What keeps the hardware's own capability from becoming the guest's. Its registers are patched, so its bytes must
 * be its alone; and a second one of its kind leaves open which of them the hardware means.
 */
export function obstacleToOwn(own: Capability, length: number, ground: Ground): Because | undefined {
  const range = { offset: own.offset, length };
  return outOfBounds(range, ground) ?? operated(range, ground) ?? listedTwice(own, ground.survey)
    ?? sharedBytes(own, range, ground.survey);
}

/** A second capability of the same kind in the same list. */
export function listedTwice({ space, id, offset }: Capability, survey: Survey): Because | undefined {
  const other = survey.capabilities.find((one) => one.space === space && one.id === id && one.offset !== offset);
  return other && { kind: 'listed-twice', id, offset, again: other.offset };
}

/** The lowest aligned offset above `offset` that this obstacle does not already rule out. */
export function behind(because: Because, offset: number): number {
  return Math.max(offset + 4, (endOf(because) + 3) & ~3);
}

/** The end of the bytes an obstacle rules out; 0 where it tells none. */
function endOf(because: Because): number {
  if (because.kind === 'offset-occupied') return because.to + 1;
  if (because.kind === 'seen-in-use') return because.at + 1;
  if (because.kind === 'forbidden') return ByteRange.end(because.range);
  return because.kind === 'list-cannot-begin' ? extendedSizeBytes : 0;
}

function outOfBounds(range: ByteRange, ground: Ground): Because | undefined {
  const { offset, length } = range;
  if (!Number.isInteger(offset) || offset % 4 !== 0) return { kind: 'offset-unaligned', offset, alignment: 4 };
  const isStandard = ground.space === 'standard';
  const [least, end] = isStandard ? [headerSizeBytes, extendedSpaceAt] : [extendedSpaceAt, extendedSizeBytes];
  if (offset < least || offset + length > end) {
    const kind = isStandard ? 'outside-standard-space' : 'outside-extended-space';
    return { kind, offset, length, least, most: end - length };
  }
  return notAllowed(range, ground) ?? forbidden(range, ground);
}

function notAllowed(range: ByteRange, { policy, space }: Ground): Because | undefined {
  // Ranges in the extended space say nothing about the standard one.
  const allowed = policy.allowedRanges.filter((one) => space === 'extended' || one.offset < extendedSpaceAt);
  if (allowed.length === 0 || allowed.some((one) => ByteRange.contains(one, range))) return undefined;
  return { kind: 'outside-allowed-ranges', offset: range.offset, length: range.length, allowed };
}

function forbidden(range: ByteRange, ground: Ground): Because | undefined {
  const { offset, length } = range;
  const hit = ground.policy.forbiddenRanges.find((one) => ByteRange.overlaps(one, range));
  if (hit) return { kind: 'forbidden', offset, length, range: rangeOf(hit), reason: hit.reason };
  for (const row of ground.quirks) {
    const registers = row.forbidden?.find((one) => ByteRange.overlaps(one, range));
    if (registers) return { kind: 'forbidden', offset, length, range: registers, reason: `${row.name}: ${row.source}` };
  }
  return undefined;
}

function rangeOf({ offset, length }: ByteRange): ByteRange {
  return { offset, length };
}

/** A byte once in use is not free: registers may read zero today. */
function usedElsewhere(range: ByteRange, { evidence }: Ground): Because | undefined {
  const seen = evidence?.inUse(range);
  return seen && { kind: 'seen-in-use', ...rangeOf(range), ...seen };
}

/** Bytes an operation of the policy decides: of two words about one register neither may win silently. */
function operated(range: ByteRange, ground: Ground): Because | undefined {
  const hit = ground.taken.find((one) => one.isOperation && ByteRange.overlaps(one, range));
  return hit && occupied(range, hit.by, 'synthetic', hit.offset, ByteRange.end(hit));
}

/** Capabilities placed before. An anchor an earlier one brought keeps nothing out: it makes way at 0x100. */
function synthetic(range: ByteRange, ground: Ground): Because | undefined {
  const hit = ground.taken.find((one) => ByteRange.overlaps(one, range));
  return hit && occupied(range, hit.by, 'synthetic', hit.offset, ByteRange.end(hit));
}

function occupant(range: ByteRange, survey: Survey): Because | undefined {
  const at = survey.owners.firstTaken(range);
  if (at === undefined) return undefined;
  const { owner, capability } = survey.owners.ownerAt(at);
  if (capability) return occupied(range, capability.row.name, owner, capability.offset, occupiedEnd(capability));
  const isSame = (offset: number): boolean => survey.owners.ownerAt(offset).owner === owner;
  let from = at;
  while (from > 0 && isSame(from - 1)) from -= 1;
  let end = at + 1;
  while (end < survey.space.size && isSame(end)) end += 1;
  return occupied(range, owner, owner, from, end);
}

function missingAnchor({ offset }: ByteRange, ground: Ground): Because | undefined {
  if (!ground.list.needsAnchorFor(offset)) return undefined;
  const because = forbidden(anchorRange, ground) ?? operated(anchorRange, ground)
    ?? occupant(anchorRange, ground.survey) ?? usedElsewhere(anchorRange, ground);
  return because && { kind: 'list-cannot-begin', offset, because };
}

/** Another linked capability whose bytes, as it tells them, meet those of the hardware's own. */
function sharedBytes(own: Capability, range: ByteRange, survey: Survey): Because | undefined {
  const other = survey.capabilities.find((one) => one !== own && one.space === own.space
    && ByteRange.overlaps({ offset: one.offset, length: occupiedEnd(one) - one.offset }, range));
  return other && occupied(range, other.row.name, 'capability', other.offset, occupiedEnd(other));
}

type Occupied = Extract<Because, { readonly kind: 'offset-occupied' }>;

function occupied(
  { offset, length }: ByteRange, by: string, owner: Occupied['owner'], from: number, end: number,
): Occupied {
  return { kind: 'offset-occupied', offset, length, by, owner, from, to: end - 1 };
}
