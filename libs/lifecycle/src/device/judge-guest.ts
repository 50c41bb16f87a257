import { ByteRange, type ConfigSpace, ok, refuse, type Result, survey } from '@cadastre/config-space';
import {
  Digest, type GuestDifference, guestDifferences, predictedAgain, syntheticCapability,
} from '@cadastre/device-layout';
import { type Observation as ObservationFacts, Observation } from '../function/observation.js';
import {
  type ComparedWith, type DecidedLayout, type DeviceEvent, type ExplainedDifference, type MissingPlacement,
} from './device-events.js';
import { predictedGuestSpace, rebuildGuestConfigSpace } from './guest-config-space.js';
import { likelyCause } from './likely-cause.js';

/** A guest's config space was not read as far as the layout goes: nothing can be said about the rest. */
export interface GuestSpaceTooShort {
  readonly kind: 'guest-space-too-short';
  readonly capturedBytes: number;
  readonly neededBytes: number;
}

type Judged = Extract<DeviceEvent, { type: 'LayoutConfirmed' | 'LayoutDiverged' }>;

/** Holds what a guest really reads against what it should read. */
export function judgeGuest(
  layout: DecidedLayout, observed: ObservationFacts, seen: ConfigSpace,
): Result<Judged, GuestSpaceTooShort> {
  const { space: expected, open, comparedWith } = expectedOf(layout, observed);
  if (seen.capturedBytes < expected.size) {
    const { capturedBytes } = seen;
    return refuse({ kind: 'guest-space-too-short', capturedBytes, neededBytes: expected.size });
  }
  const { differences, tolerated } = guestDifferences(expected, seen, open);
  const missing = missingIn(seen, layout);
  const digest = Digest.ofSpace(seen);
  if (differences.length === 0 && missing.length === 0) {
    return ok({ type: 'LayoutConfirmed', schema: 1, comparedWith, guestConfigSpaceDigest: digest, tolerated });
  }
  return ok({
    type: 'LayoutDiverged', schema: 1, comparedWith,
    guestConfigSpace: Buffer.from(seen.toBytes()).toString('base64'), guestConfigSpaceDigest: digest, missing,
    differences: explained(differences, layout, observed),
    cause: likelyCause(layout, Observation.configSpace(observed), seen),
  });
}

function expectedOf(
  layout: DecidedLayout, observed: ObservationFacts,
): { readonly space: ConfigSpace; readonly open: readonly ByteRange[]; readonly comparedWith: ComparedWith } {
  const decided = rebuildGuestConfigSpace(layout, observed);
  const predicted = predictedGuestSpace(layout, observed);
  return predicted ? { ...predicted, comparedWith: 'prediction' }
    : { space: decided, open: [], comparedWith: 'layout' };
}

/** Capabilities of the layout that a guest which walks the lists does not meet where they were decided. */
function missingIn(seen: ConfigSpace, { placements }: DecidedLayout): readonly MissingPlacement[] {
  const { capabilities } = survey(seen);
  return placements.flatMap(({ name, space, id, offset }) => {
    const alike = capabilities.filter((one) => one.space === space && one.id === id);
    if (alike.some((one) => one.offset === offset)) return [];
    const other = syntheticCapability(name).sharesId ? undefined : alike[0];
    return [{ name, offset, insteadOffset: other?.offset ?? null }];
  });
}

/** Each difference with the last rule that wrote the expected bytes. */
function explained(
  differences: readonly GuestDifference[], layout: DecidedLayout, observed: ObservationFacts,
): readonly ExplainedDifference[] {
  const { iommu, sriov: { role } } = observed;
  const again = layout.vmm && predictedAgain(layout.vmm, {
    space: Observation.configSpace(observed), layout, iommu, role, family: null });
  const ruleAt = (offset: number): string | null =>
    again?.ruled.findLast((one) => ByteRange.contains(one, { offset, length: 1 }))?.rule ?? null;
  return differences.map((one) => ({ ...one, rule: ruleAt(one.offset) }));
}
