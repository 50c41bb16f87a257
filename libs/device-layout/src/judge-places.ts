import { ByteRange, type Capability } from '@cadastre/config-space';
import { isNullHead } from './capability-pairs.js';
import { type LayoutCapability } from './layout-document.js';
import { quirksOf } from './quirk-row.js';
import { type Destination, type UnshownBecause } from './verdict.js';
import { type VerdictDraft } from './verdict-draft.js';
import { headerAsBound } from './vfio-function.js';

/**
 * A place where a guest finds what the hardware there does not have: it has to be free of the hardware's own bytes, of
 * what is known of the function, and of what other captures of its model show (R5).
 */
export function judgePlaceOf(one: LayoutCapability, draft: VerdictDraft): void {
  // A guest's view tells what is there, and not what lies under it.
  if (draft.to.shown) return;
  const because = takenBy(one, draft) ?? forbiddenBy(one, draft.to) ?? seenBy(one, draft);
  if (because) draft.reasons.push(because);
}

/** What the VMM shows elsewhere than the hardware has it lies over other bytes of the hardware. */
export function judgeRelocated(draft: VerdictDraft): void {
  if (!draft.obeys) return;
  for (const [guest, physical] of draft.behind) if (guest.offset !== physical.offset) judgePlaceOf(guest, draft);
}

/** The first byte that is something in the hardware of the destination. */
function takenBy(
  { space, id, name, offset, length, origin }: LayoutCapability, draft: VerdictDraft,
): UnshownBecause | undefined {
  const { owners } = draft.to.survey;
  // Bytes of one capability follow each other: what lets the first pass lets all of them.
  let passed: Capability | undefined;
  for (let at = offset; at < offset + length; at += 1) {
    const { owner, capability } = owners.ownerAt(at);
    if (owner === 'zero' || (capability && capability === passed)) continue;
    if (!capability || !(isKept(capability, draft) || (origin === 'physical' && isShown(capability, draft)))) {
      return { kind: 'place-taken', space, id, name, offset, at, by: capability?.row.name ?? owner };
    }
    passed = capability;
  }
  return undefined;
}

/**
 * Bytes of a capability that a VMM which obeys documents hides or shows elsewhere: it keeps every access from them. A
 * header that means nothing is the list's, and the document has its own.
 */
function isKept(capability: Capability, { obeys, behind, hidden }: VerdictDraft): boolean {
  if (!obeys) return false;
  if (isNullHead(capability)) return true;
  for (const [guest, one] of behind) if (one === capability && guest.offset !== capability.offset) return true;
  return hidden.some((one) => one.space === capability.space && one.offset === capability.offset);
}

/** Bytes of a capability the guest has as well: where those overlap, they did for whoever published the layout. */
function isShown(capability: Capability, { behind }: VerdictDraft): boolean {
  for (const one of behind.values()) if (one === capability) return true;
  return false;
}

/** Registers that no capture tells of. */
function forbiddenBy(
  { space, id, name, offset, length }: LayoutCapability, { survey, physicalFunction, quirks = [] }: Destination,
): UnshownBecause | undefined {
  const header = headerAsBound(survey.header, physicalFunction);
  for (const { name: row, source, forbidden = [] } of quirksOf(header, quirks)) {
    const range = forbidden.find((one) => ByteRange.overlaps(one, { offset, length }));
    if (range) return { kind: 'forbidden', space, id, name, offset, range, by: `${row}: ${source}` };
  }
  return undefined;
}

/** A byte that is free here and in use in another unit, or was under another firmware. */
function seenBy({ space, id, name, offset, length }: LayoutCapability, draft: VerdictDraft):
UnshownBecause | undefined {
  const { evidence } = draft.to;
  for (let at = offset; evidence && at < offset + length; at += 1) {
    const { capability } = draft.to.survey.owners.ownerAt(at);
    if (capability && isKept(capability, draft)) continue;
    // A capability of another unit is listed, and such a VMM hides it there: nothing lies unseen under it here.
    const seen = draft.obeys ? evidence.unlisted({ offset: at, length: 1 }) : evidence.inUse({ offset: at, length: 1 });
    if (seen) return { kind: 'seen-in-use', space, id, name, offset, at, owner: seen.owner, by: seen.source };
  }
  return undefined;
}
