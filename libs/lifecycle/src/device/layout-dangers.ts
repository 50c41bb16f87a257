import { survey } from '@cadastre/config-space';
import { layoutDocument, migrationVerdict, type VerdictReason } from '@cadastre/device-layout';
import { obedientVmm, type VmmAbilities } from '@cadastre/vmm-profiles';
import { Observation } from '../function/observation.js';
import { type DecidedLayout } from './device-events.js';

/** The VMM that runs a device moves nothing any more: it lays the decided patches over what the hardware reads. */
const runningVmm: VmmAbilities = {
  ...obedientVmm, profile: 'the VMM that runs the device', placing: 'none', makes: [], migration: 'restores-patches',
  exemptsVendorBytes: true,
};

/**
 * What a new look at the hardware means for a guest that runs on a layout: empty when the guest still reads what it was
 * promised. It is the verdict of a migration to the function as it is now, with the patches over it; and a place that
 * was free when the layout was decided has to be free still, whatever the guest reads there.
 * @param stoodOn the observation the layout was decided over
 */
export function layoutDangers(
  layout: DecidedLayout, stoodOn: Observation, seen: Observation,
): readonly VerdictReason[] {
  const { role } = stoodOn.sriov;
  const then = survey(Observation.configSpace(stoodOn), role);
  const now = survey(Observation.configSpace(seen), role);
  const document = layoutDocument(then, layout, then.space.patched(layout.patches));
  const shown = now.space.size < then.space.size ? now : survey(now.space.patched(layout.patches), role);
  const { reasons } = migrationVerdict(document, { survey: shown, iommu: seen.iommu, vmm: runningVmm });
  if (shown === now) return reasons;
  const taken = layout.placements.flatMap(({ space, id, name, offset, length }): readonly VerdictReason[] => {
    if (then.owners.firstTaken({ offset, length }) !== undefined) return [];
    const at = now.owners.firstTaken({ offset, length });
    if (at === undefined) return [];
    const { owner, capability } = now.owners.ownerAt(at);
    return [{ kind: 'place-taken', space, id, name, offset, at, by: capability?.row.name ?? owner }];
  });
  return [...reasons, ...taken];
}
