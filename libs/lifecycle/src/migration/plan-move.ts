import { ok, refuse, type Result, survey, type Survey } from '@cadastre/config-space';
import {
  decideVmm, type Destination, type Evidence, explainVerdictReason, fit, identityAsBound, knownQuirks,
  type LayoutDocument, type LayoutIdentity, migrationVerdict, type Persona, type PhysicalFunction, planLayout,
  type PlannedLayout, planWorn, unplaced, type Verdict, type VerdictReason, type VmmDecision, type VmmRequest,
} from '@cadastre/device-layout';
import { obedientVmm, profileFor, type VmmAbilities, vmmAbilities, type VmmUnknown } from '@cadastre/vmm-profiles';
import { type LayoutGround, referenceTo, seenBySurvey, wantedBy } from '../device/decide-layout.js';
import { type AttachedDevice, type GuestSeen } from '../device/device-decider.js';
import { type DecidedLayout } from '../device/device-events.js';
import { type RegisteredFunction } from '../function/function-decider.js';
import { type Observation as ObservationFacts, Observation } from '../function/observation.js';
import { type FunctionKey, functionStream } from '../stream-key.js';
import { decidedDocument, guestDocument } from './guest-document.js';
import { type PlannedMove } from './migration-events.js';
import { verdictOfShown } from './shown-there.js';

/** One device and where it is to go. */
export interface MoveAsked {
  /** Its guest runs on this layout; it need not be attached here. What was last read in the guest counts, if told. */
  readonly device: Pick<AttachedDevice, 'key' | 'function' | 'layout'>
    & Partial<Pick<AttachedDevice, 'guest' | 'decidedAt'>>;
  /** The observation the layout of the device was decided over. */
  readonly observed: ObservationFacts;
  readonly target: RegisteredFunction;
  /** Of a target that is a VF, as for attach. */
  readonly physicalFunction: LayoutGround['physicalFunction'];
  /** What other observations of the target's model told, as for attach. */
  readonly evidence: Evidence | null;
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
  const { device: { key, function: source, layout, guest = null, decidedAt = null }, target } = asked;
  if (!layout) throw new Error(`${key.vm}/${key.device} is attached without a layout`);
  const { observation } = target;
  const impossible = (verdict: Verdict | null, reasons: readonly string[]): Result<Moved, never> =>
    ok({ kind: 'impossible', move: { device: key.device, target: target.key, verdict, reasons } });
  if (!observation) return impossible(null, [`${functionStream(target.key)} was never observed`]);
  const taken = takenBy(target);
  if (taken) return impossible(null, [taken]);
  const judged = judge(asked, layout, guest, observation.facts);
  if (!judged.ok) return judged;
  const { verdict, shown, because } = judged.value;
  if (!shown) return impossible(verdict, because);
  const { requested, policy, told, persona, grants, reserved, layoutDigest: sourceLayoutDigest } = layout;
  const reference = referenceTo(target);
  return ok({ kind: 'possible', move: {
    device: key.device, source, sourceLayoutDigest, decidedAt, divergedAt: divergedAt(guest), target: target.key,
    observation: reference, verdict,
    layout: {
      ...shown.planned.layout, requested, policy, told, persona, observation: reference,
      physicalFunction: asked.physicalFunction?.state ? referenceTo(asked.physicalFunction.state) : null,
      identity: shown.identity, grants, reserved, vmm: shown.decision,
      layoutDigest: shown.planned.layoutDigest, guestConfigSpaceDigest: shown.planned.guestConfigSpaceDigest,
    },
  } });
}

/** Since when a guest is known to read something else than it should; null while none does. */
export function divergedAt(guest: GuestSeen | null): number | null {
  return guest?.kind === 'diverged' ? guest.revision : null;
}

function takenBy({ key, claim, retired }: RegisteredFunction): string | undefined {
  if (retired) return `${functionStream(key)} is retired`;
  return claim ? `${functionStream(key)} is claimed by ${claim.vm}/${claim.device}` : undefined;
}

/** What the guest would find there, or why it must not go. */
type Judged =
  | { readonly verdict: Verdict; readonly because: readonly string[];
      readonly shown: { readonly planned: PlannedLayout; readonly decision: VmmDecision | null;
        readonly identity: LayoutIdentity } }
  | { readonly verdict: Verdict; readonly because: readonly string[]; readonly shown: null };

/** The target as a plan needs it, and as a destination whose VMM shows whole documents. */
interface GroundThere {
  readonly there: Survey;
  readonly family: PhysicalFunction | null;
  readonly evidence: Evidence | null;
  readonly obedient: Destination;
}

function judge(
  asked: MoveAsked, layout: DecidedLayout, guest: GuestSeen | null, facts: ObservationFacts,
): Result<Judged, VmmUnknown> {
  const { observed, target, device: { key } } = asked;
  const vmm = asked.vmm ?? layout.vmm?.vmm ?? null;
  const abilities = abilitiesOf(vmm);
  if (!abilities.ok) return abilities;
  const there = survey(Observation.configSpace(facts), facts.sriov.role);
  const family = asked.physicalFunction && seenBySurvey(asked.physicalFunction);
  const has = guestDocument(layout, observed, guest);
  const { evidence } = asked;
  const ground: GroundThere = { there, family, evidence, obedient: { survey: there, iommu: facts.iommu,
    vmm: obedientVmm, physicalFunction: family?.survey ?? null, quirks: knownQuirks, evidence } };
  const planned = abilities.value.placing === 'whole-document' ? planObeyed(layout, has, ground)
    : planPlaced(asked, layout, ground);
  if (planned.kind === 'refused') return ok({ ...planned, shown: null });
  const decision = vmm && decideVmm(vmm, {
    survey: there, planned: planned.planned, kernel: facts.kernel, iommu: facts.iommu, role: facts.sriov.role,
    family: family?.survey ?? null, hostBdf: target.key.address, device: key.device, isWhole: layout.persona !== null,
  });
  if (decision && !decision.ok) return refuse(decision.refusal);
  const verdict = withSource(layout, planned.verdict ?? verdictOfShown(has, layout, observed, {
    planned: planned.planned, decision: decided(decision?.value), facts, family: family?.survey ?? null,
    vmm: abilities.value }));
  if (verdict.reasons.length > 0) {
    return ok({ verdict, because: verdict.reasons.map(explainVerdictReason), shown: null });
  }
  return ok({ verdict, because: [], shown: {
    planned: planned.planned, decision: decision?.value ?? null, identity: identityAsBound(there, family?.survey) } });
}

function decided(decision: VmmDecision | undefined): VmmDecision {
  if (!decision) throw new Error('a VMM that obeys no documents decides');
  return decision;
}

/** What cannot be saved needs no target (fact O4). */
function withSource({ vmm }: DecidedLayout, verdict: Verdict): Verdict {
  if (vmm?.migration.kind !== 'refuses-to-save') return verdict;
  const { profile: { name }, migration: { rule } } = vmm;
  if (verdict.reasons.some((one) => one.kind === 'vmm-cannot-migrate' && one.vmm === name)) return verdict;
  const reason: VerdictReason = { kind: 'vmm-cannot-migrate', vmm: name, ...(rule === null ? {} : { rule }) };
  return { ...verdict, verdict: 'cannot', reasons: [reason, ...verdict.reasons] };
}

function abilitiesOf(vmm: VmmRequest | null): Result<VmmAbilities, VmmUnknown> {
  if (!vmm) return ok(obedientVmm);
  const taken = profileFor(vmm);
  return taken.ok ? ok(vmmAbilities(taken.value.profile)) : taken;
}

type PlannedThere =
  /** `verdict` is null where the VMM shows of the layout what it will: that is judged when it is predicted. */
  | { readonly kind: 'planned'; readonly planned: PlannedLayout; readonly verdict: Verdict | null }
  | { readonly kind: 'refused'; readonly verdict: Verdict; readonly because: readonly string[] };

/** For a VMM that shows whole documents: what the guest has, worn where the same plan would show something else. */
function planObeyed(layout: DecidedLayout, has: LayoutDocument, ground: GroundThere): PlannedThere {
  const verdict = migrationVerdict(has, ground.obedient);
  if (verdict.reasons.length > 0) return refusedBy(verdict);
  const planned = layout.persona ? undefined : planAgain(layout, ground);
  const shown = planned?.ok && migrationVerdict(has, { ...ground.obedient,
    survey: survey(planned.value.guestConfigSpace), shown: { knobs: [], ruled: [], open: [] } });
  if (planned?.ok && shown && shown.reasons.length === 0) return { kind: 'planned', planned: planned.value, verdict };
  const worn = wear(layout, has, ground);
  return worn.kind === 'planned' ? { ...worn, verdict } : worn;
}

/** For all others: what was decided, once more over the target's bytes. */
function planPlaced(asked: MoveAsked, layout: DecidedLayout, ground: GroundThere): PlannedThere {
  const decided = decidedDocument(layout, asked.observed);
  if (layout.persona) return wear(layout, decided, ground);
  const planned = planAgain(layout, ground);
  if (planned.ok) return { kind: 'planned', planned: planned.value, verdict: null };
  // What not even a VMM that obeys could show is told as well.
  const verdict = migrationVerdict(decided, ground.obedient);
  const reason = unplaced(planned.refusal, layout.placements);
  const isTold = verdict.reasons.some(({ kind }) => kind === reason.kind);
  return refusedBy({ ...verdict, verdict: 'cannot', reasons: isTold ? verdict.reasons : [reason, ...verdict.reasons] });
}

function planAgain(layout: DecidedLayout, { there, family, evidence }: GroundThere): ReturnType<typeof planLayout> {
  return planLayout({
    survey: there, physicalFunction: family, wanted: layout.grants.map(wantedBy), operations: layout.operations,
    policy: layout.policy, told: layout.told, quirks: knownQuirks, decided: [...layout.placements, ...layout.reserved],
    ...(evidence ? { evidence } : {}),
  });
}

function wear({ persona: worn }: DecidedLayout, layout: LayoutDocument, { obedient }: GroundThere): PlannedThere {
  const persona: Persona = { name: worn?.name ?? 'migrated', version: worn?.version ?? 1, layout };
  const fits = fit(persona, obedient);
  if (!fits.worn) return refusedBy(fits.verdict);
  return { kind: 'planned', planned: planWorn(fits.worn), verdict: null };
}

function refusedBy(verdict: Verdict): PlannedThere {
  return { kind: 'refused', verdict, because: verdict.reasons.map(explainVerdictReason) };
}
