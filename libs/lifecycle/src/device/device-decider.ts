import { type Bdf, ok, refuse, type Result, survey, type Survey } from '@cadastre/config-space';
import {
  defaultRegisters, documentDigest, fit, grantPasid, type IommuFacts, knownQuirks, type LayoutRefusal, pasidRegisters,
  type PasidRefusal, type Persona, personaName, type PhysicalFunction, type PlacementPolicy, planLayout,
  type PlannedLayout, planWorn, type VerdictReason, type WantedCapability,
} from '@cadastre/device-layout';
import { type Decider } from '../decider.js';
import { type FunctionCommand, type RegisteredFunction } from '../function/function-decider.js';
import { Observation } from '../function/observation.js';
import { type DeviceKey, type FunctionKey, functionStream } from '../stream-key.js';
import {
  type CapabilityGrant, type CapabilityRequest, type DecidedLayout, type DeviceEvent, type ObservationReference,
  type PersonaReference,
} from './device-events.js';
import {
  detachAll, type PasidCommand, pasidDecider, type PasidState, type PasidUseRefusal, sharedUses,
} from './pasids/pasid-decider.js';

export type DeviceCommand =
  | { readonly kind: 'attach-device'; readonly key: DeviceKey;
      /** The function as its stream tells it, read before the decision. */
      readonly function: RegisteredFunction;
      /** The VF's PF: its address as far as it is known, and what its stream tells. Null when the function is no VF. */
      readonly physicalFunction: { readonly address: Bdf | null; readonly state: RegisteredFunction | null } | null;
      readonly requested: readonly CapabilityRequest[]; readonly policy: PlacementPolicy;
      /** Worn whole: then nothing else may be requested. */
      readonly persona?: Persona }
  | { readonly kind: 'detach-device'; readonly key: DeviceKey; readonly reason: string | null }
  | PasidCommand;

export type DeviceState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'attached'; readonly key: DeviceKey; readonly revision: number; readonly function: FunctionKey;
      /** Null only between the two events of one attach. */
      readonly layout: DecidedLayout | null; readonly pasids: PasidState }
  | { readonly kind: 'detached'; readonly key: DeviceKey; readonly revision: number; readonly last: FunctionKey };

type AtsRefusal = { readonly kind: 'ats-not-supported'; readonly name: string };

export type DeviceRefusal =
  | ({ readonly kind: 'device-attached'; readonly function: FunctionKey } & DeviceKey)
  | ({ readonly kind: 'device-not-attached' } & DeviceKey)
  | ({ readonly kind: 'function-not-observed' } & FunctionKey)
  /** vfio-pci binds functions with a type 0 header only (reading C8). */
  | ({ readonly kind: 'function-not-assignable'; readonly headerType: number } & FunctionKey)
  | { readonly kind: 'persona-does-not-fit'; readonly persona: string; readonly reasons: readonly VerdictReason[] }
  | PasidRefusal
  | PasidUseRefusal
  | AtsRefusal
  | LayoutRefusal;

/** What may happen to one device of one VM: it is attached with a decided layout, and detached. */
export const deviceDecider: Decider<DeviceCommand, DeviceState, DeviceEvent, DeviceRefusal> = {
  initial: { kind: 'unknown' },
  decide(command, state) {
    switch (command.kind) {
      case 'attach-device': return attach(command, state);
      case 'detach-device': return detach(command, state);
      // Whatever is left is for them: the compiler knows.
      default: return usePasids(command, state);
    }
  },
  evolve(state, event) {
    const revision = state.kind === 'unknown' ? 0 : state.revision + 1;
    switch (event.type) {
      case 'DeviceAttached': {
        const key = { vm: event.vm, device: event.device };
        const { initial: pasids } = pasidDecider;
        return { kind: 'attached', key, revision, function: event.function, layout: null, pasids };
      }
      case 'LayoutDecided': {
        if (state.kind !== 'attached') return state;
        return { ...state, revision, layout: layoutOf(event) };
      }
      case 'DeviceDetached': {
        if (state.kind === 'unknown') return state;
        return { kind: 'detached', key: state.key, revision, last: event.function };
      }
      default: {
        if (state.kind !== 'attached') return state;
        return { ...state, revision, pasids: pasidDecider.evolve(state.pasids, event) };
      }
    }
  },
};

function layoutOf(event: Extract<DeviceEvent, { type: 'LayoutDecided' }>): DecidedLayout {
  const { planner, placements, patches, operations, evidence, standardList, extendedList } = event;
  const { observation, physicalFunction, grants, layoutDigest, guestConfigSpaceDigest } = event;
  return {
    planner, placements, patches, operations, evidence, standardList, extendedList,
    observation, physicalFunction, grants, layoutDigest, guestConfigSpaceDigest,
  };
}

type Decision = Result<readonly DeviceEvent[], DeviceRefusal>;
type CommandOf<Kind extends DeviceCommand['kind']> = Extract<DeviceCommand, { kind: Kind }>;

function attach(command: CommandOf<'attach-device'>, state: DeviceState): Decision {
  const { key, requested, policy } = command;
  if (state.kind === 'attached') return refuse({ kind: 'device-attached', ...key, function: state.function });
  const { key: functionKey, observation } = command.function;
  if (!observation) return refuse({ kind: 'function-not-observed', ...functionKey });
  const surveyed = survey(Observation.configSpace(observation.facts), observation.facts.sriov.role);
  const headerType = surveyed.header.type;
  if (headerType !== 0 && !isGone(surveyed)) {
    return refuse({ kind: 'function-not-assignable', ...functionKey, headerType });
  }
  const family = command.physicalFunction && seenBySurvey(command.physicalFunction);
  const granted = grant(requested, observation.facts.iommu, surveyed, family);
  if (!granted.ok) return granted;
  const planned = command.persona ? wear(command.persona, surveyed, observation.facts.iommu) : planLayout({
    survey: surveyed,
    physicalFunction: family,
    wanted: granted.value.map(wantedBy),
    policy,
    quirks: knownQuirks,
  });
  if (!planned.ok) return planned;
  const { layout, layoutDigest, guestConfigSpaceDigest } = planned.value;
  return ok([
    {
      type: 'DeviceAttached', schema: 1, vm: key.vm, device: key.device, function: functionKey, requested, policy,
      persona: command.persona ? referenceToPersona(command.persona) : null,
    },
    {
      type: 'LayoutDecided', schema: 1, ...layout, grants: granted.value, layoutDigest, guestConfigSpaceDigest,
      observation: referenceTo(command.function),
      physicalFunction: command.physicalFunction?.state ? referenceTo(command.physicalFunction.state) : null,
    },
  ]);
}

function wear(
  persona: Persona, surveyed: Survey, iommu: IommuFacts,
): Result<PlannedLayout, Extract<DeviceRefusal, { kind: 'persona-does-not-fit' }>> {
  const { worn, verdict: { reasons } } = fit(persona, surveyed, iommu);
  if (!worn) return refuse({ kind: 'persona-does-not-fit', persona: personaName(persona), reasons });
  return ok(planWorn(persona, worn));
}

function referenceToPersona({ name, version, layout }: Persona): PersonaReference {
  return { name, version, digest: documentDigest(layout) };
}

/** A function that answers all-ones has no header to judge; the planner says that it is gone. */
function isGone({ header }: Survey): boolean {
  return header.type === 0x7f;
}

/** The event that holds the newest observation of a function; the caller made sure there is one. */
function referenceTo({ key, observation }: RegisteredFunction): ObservationReference {
  if (!observation) throw new Error(`${functionStream(key)} was never observed`);
  const { revision, facts: { configSpaceDigest } } = observation;
  return { stream: functionStream(key), revision, configSpaceDigest };
}

type PhysicalFunctionRead = NonNullable<CommandOf<'attach-device'>['physicalFunction']>;

function seenBySurvey({ address, state }: PhysicalFunctionRead): PhysicalFunction {
  const facts = state?.observation?.facts;
  return { address, survey: facts ? survey(Observation.configSpace(facts), 'pf') : null };
}

/** ATS and PRI are answered by the IOMMU: without it a guest waits for answers that never come. */
const needsAts: readonly string[] = ['ats', 'pri'];

function grant(
  requested: readonly CapabilityRequest[], iommu: IommuFacts, surveyed: Survey, family: PhysicalFunction | null,
): Result<readonly CapabilityGrant[], PasidRefusal | AtsRefusal> {
  const grants: CapabilityGrant[] = [];
  for (const request of requested) {
    if (request.name === 'pasid') {
      const granted = grantPasid(request, iommu);
      if (!granted.ok) return granted;
      grants.push({ name: request.name, ...granted.value });
      continue;
    }
    const { name } = request;
    if (needsAts.includes(name) && !iommu.atsSupported) return refuse({ kind: 'ats-not-supported', name });
    grants.push({ name, registers: defaultRegisters(name, surveyed, family, iommu) });
  }
  return ok(grants);
}

function wantedBy(granted: CapabilityGrant): WantedCapability {
  if (granted.name === 'pasid') return { name: granted.name, registers: pasidRegisters(granted) };
  return { name: granted.name, registers: granted.registers };
}

function detach({ key, reason }: CommandOf<'detach-device'>, state: DeviceState): Decision {
  if (state.kind !== 'attached') return refuse({ kind: 'device-not-attached', ...key });
  const left = state.pasids.attached.count > 0 ? [detachAll('device-detach', state.pasids)] : [];
  return ok([...left, { type: 'DeviceDetached', schema: 1, function: state.function, reason }]);
}

/** PASIDs are those of an attached device, and end with its attachment. */
function usePasids(command: PasidCommand, state: DeviceState): Decision {
  if (state.kind !== 'attached') return refuse({ kind: 'device-not-attached', ...command.key });
  return pasidDecider.decide(command, state.pasids);
}

/**
 * The commands by which the physical function learns what a device began and ceased to use of it, whatever happened
 * between the two states.
 */
export function familyCommands(user: DeviceKey, before: DeviceState, after: DeviceState): readonly FunctionCommand[] {
  const [then, now] = [usesOf(before), usesOf(after)];
  const missingFrom = (others: typeof now): (one: typeof now[number]) => boolean => ([capability, key]) =>
    !others.some(([other, at]) => other === capability && functionStream(at) === functionStream(key));
  return [
    ...then.filter(missingFrom(now)).map(([capability, key]) =>
      ({ kind: 'free-shared-capability', key, capability, user }) as const),
    ...now.filter(missingFrom(then)).map(([capability, key]) =>
      ({ kind: 'use-shared-capability', key, capability, user }) as const),
  ];
}

function usesOf(state: DeviceState): ReturnType<typeof sharedUses> {
  return state.kind === 'attached' ? sharedUses(state.pasids) : [];
}
