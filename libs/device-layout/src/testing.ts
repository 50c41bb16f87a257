import {
  type ByteRange, type ConfigSpace, findCapability, type SriovRole, survey, type Survey,
} from '@cadastre/config-space';
import { buildConfigSpace, type ConfigSpaceParts, express } from '@cadastre/config-space/testing';
import { profileNamed, type VmmAbilities, vmmAbilities } from '@cadastre/vmm-profiles';
import { explainRefusal } from './explain.js';
import { CapabilityList } from './capability-list.js';
import { type Ground, type PhysicalFunction, type PlacementPolicy } from './ground.js';
import { planLayout, type LayoutRequest, type PlannedLayout, type WantedCapability } from './plan-layout.js';
import { type Because, type LayoutRefusal } from './refusal.js';

/** Execute, privileged, 20 bits. */
export const wholePasid: WantedCapability = {
  name: 'pasid', registers: { executeSupported: 1, privilegedSupported: 1, maxPasidWidth: 20 },
};

/** Any proven gap, unless a test says otherwise. */
export function policy(change: Partial<PlacementPolicy> = {}): PlacementPolicy {
  return { strategies: ['gap'], pinned: {}, allowedRanges: [], forbiddenRanges: [], ...change };
}

export function pinnedAt(offset: number, change: Partial<PlacementPolicy> = {}): PlacementPolicy {
  return policy({ strategies: ['pinned'], pinned: { pasid: offset }, ...change });
}

/** A function as a test wants it: with a PCI Express capability, unless it says otherwise. */
export function surveyOf(
  parts: ConfigSpaceParts, role: SriovRole = 'none', quirkRanges: readonly ByteRange[] = [],
): Survey {
  return survey(buildConfigSpace({ standard: [express()], ...parts }), role, quirkRanges);
}

export function groundOf(over: Survey, change: Partial<Ground> = {}): Ground {
  return {
    space: 'extended', survey: over, physicalFunction: null, policy: policy(), taken: [],
    list: CapabilityList.of(over, 'extended'),
    hasExpress: findCapability(over, 'standard', 0x10) !== undefined,
    persona: null, told: [], quirks: [], evidence: null, ...change,
  };
}

export function physicalFunction(parts: ConfigSpaceParts, address = '0000:3b:00.0'): PhysicalFunction {
  return { address, survey: surveyOf(parts, 'pf') };
}

/** What a VMM of a profile is able to do. */
export function abilitiesOf(name: string): VmmAbilities {
  const profile = profileNamed(name);
  if (profile.ok) return vmmAbilities(profile.value);
  throw new Error(`no profile ${name}`);
}

/** A request for one PASID capability. */
export function requestOver(over: Survey, change: Partial<LayoutRequest> = {}): LayoutRequest {
  return { survey: over, physicalFunction: null, wanted: [wholePasid], policy: policy(), ...change };
}

/** The layout of a request a test knows to be good. */
export function planned(over: Survey, change: Partial<LayoutRequest> = {}): PlannedLayout {
  const result = planLayout(requestOver(over, change));
  if (result.ok) return result.value;
  throw new Error(explainRefusal(result.refusal));
}

/** The refusal of a request a test knows to be bad. */
export function refusalOf(over: Survey, change: Partial<LayoutRequest> = {}): LayoutRefusal {
  const result = planLayout(requestOver(over, change));
  if (!result.ok) return result.refusal;
  throw new Error(`planned ${result.value.layout.placements.map(({ offset }) => offset.toString(16)).join(' ')}`);
}

/** Why each strategy found no place. */
export function reasonsOf(refusal: LayoutRefusal): readonly Because[] {
  if (refusal.kind === 'no-place') return refusal.refused.map(({ because }) => because);
  throw new Error(explainRefusal(refusal));
}

/** The extended list as `offset` or `offset:id`, in the order a guest walks it. */
export function walkOf(space: ConfigSpace): string {
  return survey(space).capabilities.filter((one) => one.space === 'extended')
    .map(({ offset }) => offset.toString(16)).join(' ');
}
