import { ok, refuse, type Result, survey, type Survey, vfioView } from '@cadastre/config-space';
import {
  decideVmm, explainRefusal, explainVerdictReason, fit, identityAsBound, knownQuirks, type LayoutRefusal,
  migrationVerdict, type PhysicalFunction, planLayout, type PlannedLayout, planWorn, type Verdict, vfioFunctionOf,
  type VmmRequest,
} from '@cadastre/device-layout';
import {
  hostKernelOf, obedientVmm, profileFor, type VmmAbilities, vmmAbilities, type VmmUnknown,
} from '@cadastre/vmm-profiles';
import { type LayoutGround, referenceTo, seenBySurvey, wantedBy } from '../device/decide-layout.js';
import { type AttachedDevice } from '../device/device-decider.js';
import { type DecidedLayout } from '../device/device-events.js';
import { type RegisteredFunction } from '../function/function-decider.js';
import { type Observation as ObservationFacts, Observation } from '../function/observation.js';
import { type FunctionKey, functionStream } from '../stream-key.js';
import { decidedDocument, guestDocument } from './guest-document.js';
import { type PlannedMove } from './migration-events.js';

/** One device and where it is to go. */
export interface MoveAsked {
  /** Its guest runs on this layout; it need not be attached here. */
  readonly device: Pick<AttachedDevice, 'key' | 'function' | 'layout'>;
  /** The observation the layout of the device was decided over. */
  readonly observed: ObservationFacts;
  readonly target: RegisteredFunction;
  /** Of a target that is a VF, as for attach. */
  readonly physicalFunction: LayoutGround['physicalFunction'];
  /** The VMM at the target; null is the one the device has. */
  readonly vmm: VmmRequest | null;
}

/** A device that cannot go there. */
export interface ImpossibleMove {
  readonly device: string;
  readonly target: FunctionKey;
  readonly verdict: Verdict | null;
  /** Every reason, in words. */
  readonly reasons: readonly string[];
}

export type Moved = { readonly kind: 'possible'; readonly move: PlannedMove }
  | { readonly kind: 'impossible'; readonly move: ImpossibleMove };

/** Whether a device's guest finds at the target what it has now, and the layout that shows it there. Pure. */
export function planMove(asked: MoveAsked): Result<Moved, VmmUnknown> {
  const { device: { key, function: source, layout }, observed, target } = asked;
  if (!layout) throw new Error(`${key.vm}/${key.device} is attached without a layout`);
  const { observation } = target;
  const impossible = (verdict: Verdict | null, reasons: readonly string[]): Result<Moved, never> =>
    ok({ kind: 'impossible', move: { device: key.device, target: target.key, verdict, reasons } });
  if (!observation) return impossible(null, [`${functionStream(target.key)} was never observed`]);
  const taken = takenBy(target);
  if (taken) return impossible(null, [taken]);
  const vmm = asked.vmm ?? layout.vmm?.vmm ?? null;
  const abilities = abilitiesOf(vmm);
  if (!abilities.ok) return abilities;
  const { facts } = observation;
  const there = survey(Observation.configSpace(facts), facts.sriov.role);
  const family = asked.physicalFunction && seenBySurvey(asked.physicalFunction);
  const verdict = migrationVerdict(guestDocument(layout, observed), {
    survey: vmm ? readByVmm(vmm, facts, family) : there, iommu: facts.iommu, vmm: abilities.value,
    physicalFunction: family?.survey ?? null });
  if (verdict.verdict === 'cannot') return impossible(verdict, verdict.reasons.map(explainVerdictReason));
  const planned = planThere(layout, observed, there, family, verdict, abilities.value, facts);
  if (!planned.ok) return impossible(verdict, [planned.refusal]);
  const decision = vmm && decideVmm(vmm, {
    survey: there, planned: planned.value, kernel: facts.kernel, iommu: facts.iommu, role: facts.sriov.role,
    family: family?.survey ?? null,
    hostBdf: target.key.address, device: key.device,
  });
  if (decision && !decision.ok) return refuse(decision.refusal);
  const { requested, policy, told, persona, grants, reserved, layoutDigest: sourceLayoutDigest } = layout;
  const reference = referenceTo(target);
  return ok({ kind: 'possible', move: {
    device: key.device, source, sourceLayoutDigest, target: target.key, observation: reference, verdict,
    layout: {
      ...planned.value.layout, requested, policy, told, persona, observation: reference,
      physicalFunction: asked.physicalFunction?.state ? referenceTo(asked.physicalFunction.state) : null,
      identity: identityAsBound(there, family?.survey), grants, reserved, vmm: decision ? decision.value : null,
      layoutDigest: planned.value.layoutDigest, guestConfigSpaceDigest: planned.value.guestConfigSpaceDigest,
    },
  } });
}

function takenBy({ key, claim, retired }: RegisteredFunction): string | undefined {
  if (retired) return `${functionStream(key)} is retired`;
  return claim ? `${functionStream(key)} is claimed by ${claim.vm}/${claim.device}` : undefined;
}

/** What a VMM at the target reads: vfio-pci hides capabilities that no VMM can show from there. */
function readByVmm(vmm: VmmRequest, facts: ObservationFacts, family: PhysicalFunction | null): Survey {
  const space = Observation.configSpace(facts);
  const { role } = facts.sriov;
  const taken = profileFor(vmm);
  if (!taken.ok || taken.value.profile.reads !== 'vfio-pci') return survey(space, role);
  const about = vfioFunctionOf(role, family?.survey ?? null);
  return survey(vfioView(space, hostKernelOf(facts.kernel).kernel, about).space, role);
}

function abilitiesOf(vmm: VmmRequest | null): Result<VmmAbilities, VmmUnknown> {
  if (!vmm) return ok(obedientVmm);
  const taken = profileFor(vmm);
  return taken.ok ? ok(vmmAbilities(taken.value.profile)) : taken;
}

/** The layout over the target's bytes, every place kept. Refuses in words. */
function planThere(
  layout: DecidedLayout, observed: ObservationFacts, there: Survey, family: PhysicalFunction | null, verdict: Verdict,
  vmm: VmmAbilities, { iommu }: ObservationFacts,
): Result<PlannedLayout, string> {
  // What is moved or hidden in the target's hardware takes a VMM that shows a whole document.
  const isWorn = layout.persona !== null
    || (vmm.placing === 'whole-document' && verdict.relocations.length + verdict.hidden.length > 0);
  if (isWorn) {
    const { name, version } = layout.persona ?? { name: 'migrated', version: 1 };
    const persona = { name, version, layout: decidedDocument(layout, observed) };
    const { worn, verdict: { reasons } } = fit(persona, there, iommu);
    return worn ? ok(planWorn(persona, worn)) : refuse(reasons.map(explainVerdictReason).join('; '));
  }
  const planned = planLayout({
    survey: there, physicalFunction: family, wanted: layout.grants.map(wantedBy), operations: layout.operations,
    policy: layout.policy, told: layout.told, quirks: knownQuirks, decided: [...layout.placements, ...layout.reserved],
  });
  return planned.ok ? planned : refuse(explainRefusal(planned.refusal satisfies LayoutRefusal));
}
