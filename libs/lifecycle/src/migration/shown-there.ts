import { survey } from '@cadastre/config-space';
import {
  afterLoad, type Destination, type LayoutDocument, migrationVerdict, neededKnobs, predictedAgain, type PlannedLayout,
  type Verdict, type VmmDecision,
} from '@cadastre/device-layout';
import { type GuestPrediction, type VmmAbilities } from '@cadastre/vmm-profiles';
import { type DecidedLayout } from '../device/device-events.js';
import { type Observation as ObservationFacts, Observation } from '../function/observation.js';

/** What the target's VMM makes of the layout that was planned over the target's bytes. */
export interface Predicted {
  readonly planned: PlannedLayout;
  readonly decision: VmmDecision;
  readonly facts: ObservationFacts;
  readonly family: Destination['survey'] | null;
  readonly vmm: VmmAbilities;
}

/**
 * Whether a guest finds at the target what it has, byte for byte of what the VMM there is predicted to show once it
 * has loaded the device.
 * @param guest what the guest has now
 */
export function verdictOfShown(
  guest: LayoutDocument, layout: DecidedLayout, observed: ObservationFacts,
  { planned, decision, facts, family, vmm }: Predicted,
): Verdict {
  const { iommu, sriov: { role } } = facts;
  const there = Observation.configSpace(facts);
  const fresh = predictedAgain(decision, { space: there, layout: planned.layout, iommu, role, family });
  if (!fresh) throw new Error(`${decision.profile.name} was predicted a moment ago`);
  const source = shownAtSource(layout, observed);
  const isSameVmm = source?.profile.name === fresh.profile.name;
  const loaded = afterLoad(fresh, isSameVmm ? source : null);
  if (!loaded) return cannotStart(decision);
  return migrationVerdict(guest, {
    survey: survey(loaded.space, role), iommu, vmm, shown: {
      ruled: [...source?.ruled ?? [], ...loaded.ruled], open: fresh.unpredicted,
      knobs: neededKnobs(decision, planned.layout.placements),
    } });
}

/** The prediction the layout rests on; null without a VMM, or once its profile is another. */
function shownAtSource(layout: DecidedLayout, observed: ObservationFacts): GuestPrediction | null {
  const { iommu, sriov: { role } } = observed;
  return layout.vmm && predictedAgain(layout.vmm, {
    space: Observation.configSpace(observed), layout, iommu, role, family: null });
}

function cannotStart({ profile: { name }, outcome, unmet }: VmmDecision): Verdict {
  const says = outcome.kind === 'starts' ? unmet.map((one) => one.says).join('; ') : outcome.says;
  return { verdict: 'cannot', reasons: [{ kind: 'does-not-start', vmm: name, says,
    ...(outcome.kind === 'starts' ? {} : { rule: outcome.rule }) }],
  knobs: [], differences: [], relocations: [], hidden: [], unchecked: [], untoldBars: [] };
}
