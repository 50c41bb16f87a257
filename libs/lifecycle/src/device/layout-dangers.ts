import { survey, type Survey } from '@cadastre/config-space';
import { type LayoutDocument, layoutDocument, migrationVerdict, type VerdictReason } from '@cadastre/device-layout';
import { obedientVmm, type VmmAbilities } from '@cadastre/vmm-profiles';
import { Observation } from '../function/observation.js';
import { type DecidedLayout } from './device-events.js';
import { kernelDangers } from './kernel-dangers.js';

/** The VMM that runs a device moves nothing any more: it lays the decided patches over what the hardware reads. */
const runningVmm: VmmAbilities = {
  ...obedientVmm, profile: 'the VMM that runs the device', placing: 'none', makes: [], migration: 'restores-patches',
  exemptsVendorBytes: true,
};

/**
 * What a new look at the hardware means for a guest that runs on a layout: empty when the guest still reads what it was
 * promised. It is the verdict of a migration to the function as it is now, with the patches over it; a place that was
 * free when the layout was decided has to be free still, whatever the guest reads there; and another kernel of the host
 * has to show what the one before it showed.
 * @param stoodOn the observation the layout was decided over
 */
export function layoutDangers(
  layout: DecidedLayout, stoodOn: Observation, seen: Observation,
): readonly VerdictReason[] {
  const { role } = stoodOn.sriov;
  const then = survey(Observation.configSpace(stoodOn), role);
  const now = survey(Observation.configSpace(seen), role);
  const document = layoutDocument(then, layout, then.space.patched(layout.patches));
  const isShorter = now.space.size < then.space.size;
  const isWorn = layout.persona !== null || layout.relocations.length > 0;
  const reasons = isWorn ? dangersOfWorn(document, layout, now, seen)
    : migrationVerdict(document, {
      survey: isShorter ? now : survey(now.space.patched(layout.patches), role), iommu: seen.iommu, vmm: runningVmm,
    }).reasons;
  return [...reasons, ...(isShorter ? [] : takenSince(layout, then, now)), ...kernelDangers(layout, stoodOn, seen)];
}

/**
 * A worn layout is read through what is behind it: patches tell what it was. The VMM goes on reading where the hardware
 * had it, so what is elsewhere now is gone for the guest.
 */
function dangersOfWorn(
  document: LayoutDocument, layout: DecidedLayout, now: Survey, { iommu }: Observation,
): readonly VerdictReason[] {
  const { reasons, relocations } = migrationVerdict(document, { survey: now, iommu, vmm: obedientVmm });
  if (reasons.length > 0) return reasons;
  const behind = (given: DecidedLayout['relocations'], space: string, guest: number): number =>
    given.find((one) => one.space === space && one.guest === guest)?.physical ?? guest;
  return document.capabilities.filter(({ backing }) => backing.kind === 'physical')
    .flatMap(({ space, id, name, offset }): readonly VerdictReason[] => {
      const [was, is] = [behind(layout.relocations, space, offset), behind(relocations, space, offset)];
      return was === is ? [] : [{ kind: 'offset-would-move', space, id, name, layout: was, destination: is }];
    });
}

/** Places that were free when the layout was decided and are not any more, whatever the guest reads there. */
function takenSince(layout: DecidedLayout, then: Survey, now: Survey): readonly VerdictReason[] {
  return layout.placements.flatMap(({ space, id, name, offset, length }): readonly VerdictReason[] => {
    if (then.owners.firstTaken({ offset, length }) !== undefined) return [];
    const at = now.owners.firstTaken({ offset, length });
    if (at === undefined) return [];
    const { owner, capability } = now.owners.ownerAt(at);
    return [{ kind: 'place-taken', space, id, name, offset, at, by: capability?.row.name ?? owner }];
  });
}
