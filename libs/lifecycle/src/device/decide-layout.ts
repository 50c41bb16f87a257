import { type Bdf, ByteRange, ok, refuse, type Result, survey, type Survey } from '@cadastre/config-space';
import {
  decideVmm, defaultRegisters, documentDigest, type Evidence, grantPasid, identityAsBound, type IommuFacts,
  knownQuirks, type LayoutOperation, type LayoutIdentity, type LayoutRefusal, pasidRegisters, type PasidRefusal,
  type Persona, type PhysicalFunction, type Placement, type PlacementPolicy, planLayout, type PlannedLayout,
  type RegistersRefusal, requestedRegisters, type SyntheticName, type ToldRoom, type VmmDecision, type VmmRequest,
  type WantedCapability, type Wearer,
} from '@cadastre/device-layout';
import { type RegisteredFunction } from '../function/function-decider.js';
import { Observation } from '../function/observation.js';
import { wearPersona, type WearRefusal } from './wear-persona.js';
import { type DeviceKey, type FunctionKey, functionStream } from '../stream-key.js';
import {
  type CapabilityGrant, type CapabilityRequest, type DecidedLayout, grantedAsTheyAre, type ObservationReference,
  type PersonaReference,
} from './device-events.js';

/** What a control plane wants a guest to find. */
export interface LayoutWish {
  readonly requested: readonly CapabilityRequest[];
  readonly policy: PlacementPolicy;
  readonly operations: readonly LayoutOperation[];
  readonly told: readonly ToldRoom[];
  /** Worn whole: then nothing else may be requested. */
  readonly persona: Persona | null;
  readonly vmm: VmmRequest | null;
  /** Whether places of earlier layouts of the device stay where they were. */
  readonly keepPlaces: boolean;
}

/** What is known of the hardware, read before the decision. */
export interface LayoutGround {
  readonly function: RegisteredFunction;
  /** The VF's PF: its address as far as it is known, and what its stream tells. Null when the function is no VF. */
  readonly physicalFunction: { readonly address: Bdf | null; readonly state: RegisteredFunction | null } | null;
  /** What other observations of the same model told; null when there are none. */
  readonly evidence: Evidence | null;
}

/** What a guest may have cached: which device it was, and where its capabilities were. */
export interface ShownPlaces {
  readonly identity: LayoutIdentity;
  readonly places: readonly Placement[];
}

export type DecideRefusal =
  | ({ readonly kind: 'function-not-observed' } & FunctionKey)
  /** vfio-pci binds functions with a type 0 header only (reading C8). */
  | ({ readonly kind: 'function-not-assignable'; readonly headerType: number } & FunctionKey)
  | WearRefusal
  | { readonly kind: 'ats-not-supported'; readonly name: SyntheticName }
  | { readonly kind: 'vmm-unknown'; readonly name: string; readonly version: string | null;
      readonly known: readonly string[] }
  | PasidRefusal
  | RegistersRefusal
  | LayoutRefusal;

/** Decides a layout over the newest observation of a function. Pure; whatever it stands on is in the answer. */
export function decideLayout(
  key: DeviceKey, wish: LayoutWish, ground: LayoutGround, shown: ShownPlaces | null,
): Result<DecidedLayout, DecideRefusal> {
  const { key: functionKey, observation } = ground.function;
  if (!observation) return refuse({ kind: 'function-not-observed', ...functionKey });
  const { facts } = observation;
  const surveyed = survey(Observation.configSpace(facts), facts.sriov.role);
  const headerType = surveyed.header.type;
  if (headerType !== 0 && !isGone(surveyed)) {
    return refuse({ kind: 'function-not-assignable', ...functionKey, headerType });
  }
  const family = ground.physicalFunction && seenBySurvey(ground.physicalFunction);
  const granted = grant(wish.requested, facts.iommu, surveyed, family);
  if (!granted.ok) return granted;
  const identity = identityAsBound(surveyed, family?.survey);
  const before = shown && isSameModel(shown.identity, identity) ? shown.places : [];
  const { kept, moved } = wish.keepPlaces ? heldAgainst(before, wish.policy) : { kept: [], moved: before };
  const wearer: Wearer = { survey: surveyed, iommu: facts.iommu, physicalFunction: family?.survey ?? null,
    quirks: knownQuirks, evidence: ground.evidence };
  const planned = wish.persona ? wearPersona(wish.persona, wish, wearer, kept) : planLayout({
    survey: surveyed, physicalFunction: family, wanted: granted.value.map(wantedBy), policy: wish.policy,
    operations: wish.operations, told: wish.told, quirks: knownQuirks, decided: kept,
    ...(ground.evidence ? { evidence: ground.evidence } : {}),
  });
  if (!planned.ok) return planned;
  const placements = planned.value.layout.placements.map((one) => told(one, moved));
  const layout = { ...planned.value.layout, placements };
  const isWhole = wish.persona !== null;
  const vmm = wish.vmm ? vmmOf(wish.vmm, key, surveyed, family, planned.value, ground.function, isWhole) : ok(null);
  if (!vmm.ok) return vmm;
  return ok({
    ...layout, requested: wish.requested, policy: wish.policy, told: wish.told,
    persona: wish.persona && referenceToPersona(wish.persona),
    observation: referenceTo(ground.function),
    physicalFunction: ground.physicalFunction?.state ? referenceTo(ground.physicalFunction.state) : null,
    identity, grants: granted.value,
    reserved: kept.filter(({ name }) => !layout.placements.some((one) => one.name === name)),
    vmm: vmm.value, layoutDigest: planned.value.layoutDigest,
    guestConfigSpaceDigest: planned.value.guestConfigSpaceDigest,
  });
}

/** What the IDs of a VF read whose physical function was not known when they were recorded. */
const unknownId = 0xffff;

/** To a guest's driver: what it binds by. */
function isSameModel(one: LayoutIdentity, other: LayoutIdentity): boolean {
  const isUnknown = one.vendorId === unknownId || other.vendorId === unknownId;
  return (isUnknown || (one.vendorId === other.vendorId && one.deviceId === other.deviceId))
    && one.subsystemVendorId === other.subsystemVendorId && one.subsystemId === other.subsystemId;
}

/** Places a policy of today speaks against are not kept: the device was detached, and the operator says otherwise. */
function heldAgainst(
  before: readonly Placement[], { pinned, allowedRanges, forbiddenRanges }: PlacementPolicy,
): { readonly kept: readonly Placement[]; readonly moved: readonly Placement[] } {
  const isKept = (one: Placement): boolean => {
    const pin = pinned[one.name];
    const allowed = allowedRanges.filter(({ offset }) => one.space === 'extended' || offset < 0x100);
    return (pin === undefined || pin === one.offset)
      && (allowed.length === 0 || allowed.some((range) => ByteRange.contains(range, one)))
      && !forbiddenRanges.some((range) => ByteRange.overlaps(range, one));
  };
  return { kept: before.filter(isKept), moved: before.filter((one) => !isKept(one)) };
}

/** A placement that says where it was before. */
function told(placement: Placement, moved: readonly Placement[]): Placement {
  const from = moved.find(({ name }) => name === placement.name)?.offset;
  if (from === undefined || from === placement.offset) return placement;
  return { ...placement, cautions: [...placement.cautions, { kind: 'was-elsewhere', offset: from }] };
}

function vmmOf(
  vmm: VmmRequest, key: DeviceKey, surveyed: Survey, family: PhysicalFunction | null, planned: PlannedLayout,
  { key: { address }, observation }: RegisteredFunction, isWhole: boolean,
): Result<VmmDecision, Extract<DecideRefusal, { kind: 'vmm-unknown' }>> {
  if (!observation) throw new Error(`${address} was never observed`);
  const { kernel, iommu, sriov: { role } } = observation.facts;
  return decideVmm(vmm, {
    survey: surveyed, planned, kernel, iommu, role, family: family?.survey ?? null, hostBdf: address,
    device: key.device, isWhole,
  });
}

function referenceToPersona({ name, version, layout }: Persona): PersonaReference {
  return { name, version, digest: documentDigest(layout) };
}

/** A function that answers all-ones has no header to judge; the planner says that it is gone. */
function isGone({ header }: Survey): boolean {
  return header.type === 0x7f;
}

/** The event that holds the newest observation of a function; the caller made sure there is one. */
export function referenceTo({ key, observation }: RegisteredFunction): ObservationReference {
  if (!observation) throw new Error(`${functionStream(key)} was never observed`);
  const { revision, facts: { configSpaceDigest } } = observation;
  return { stream: functionStream(key), revision, configSpaceDigest };
}

/** What a survey of the PF tells of its VF. */
export function seenBySurvey({ address, state }: NonNullable<LayoutGround['physicalFunction']>): PhysicalFunction {
  const facts = state?.observation?.facts;
  return { address, survey: facts ? survey(Observation.configSpace(facts), 'pf') : null };
}

/** ATS and PRI are answered by the IOMMU: without it a guest waits for answers that never come. */
const needsAts: readonly string[] = ['ats', 'pri'];

function grant(
  requested: readonly CapabilityRequest[], iommu: IommuFacts, surveyed: Survey, family: PhysicalFunction | null,
): Result<readonly CapabilityGrant[], DecideRefusal> {
  const grants: CapabilityGrant[] = [];
  for (const request of requested) {
    const granted = grantCapability(request, iommu, surveyed, family);
    if (!granted.ok) return granted;
    grants.push(granted.value);
  }
  return ok(grants);
}

/** What one request comes to on a function and its IOMMU. */
export function grantCapability(
  request: CapabilityRequest, iommu: IommuFacts, surveyed: Survey, family: PhysicalFunction | null,
): Result<CapabilityGrant, DecideRefusal> {
  const { name } = request;
  if (name === 'pasid') {
    const granted = grantPasid(request, iommu);
    return granted.ok ? ok({ name, ...granted.value }) : granted;
  }
  if (isAsItIs(request)) {
    if (needsAts.includes(name) && !iommu.atsSupported) return refuse({ kind: 'ats-not-supported', name });
    return ok({ name, registers: defaultRegisters(name, surveyed, family, iommu) });
  }
  const registers = requestedRegisters(name, request.registers);
  return registers.ok ? ok({ name, registers: registers.value }) : registers;
}

function isAsItIs(
  request: Exclude<CapabilityRequest, { name: 'pasid' }>,
): request is Exclude<CapabilityRequest, { registers: object } | { name: 'pasid' }> {
  return (grantedAsTheyAre as readonly string[]).includes(request.name);
}

/** A grant as the planner wants it. */
export function wantedBy(granted: CapabilityGrant): WantedCapability {
  if (granted.name === 'pasid') return { name: granted.name, registers: pasidRegisters(granted) };
  return { name: granted.name, registers: granted.registers };
}
