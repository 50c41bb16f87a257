import { ok, refuse, type Result } from '@cadastre/config-space';
import { canonicalJson, type VerdictReason } from '@cadastre/device-layout';
import { type Decider, fold } from '../decider.js';
import { type DecidedLayout } from '../device/device-events.js';
import { familyDangers, type FamilyTold } from '../device/family-dangers.js';
import { layoutDangers } from '../device/layout-dangers.js';
import { type ForFold } from '../for-fold.js';
import { type MigrationId } from '../name.js';
import { type DeviceKey, type FunctionKey, functionStream } from '../stream-key.js';
import {
  type FunctionEvent, type Holder, type SharedCapability, sharedCapabilities, type WatchedGuest,
} from './function-events.js';
import { Observation } from './observation.js';

export type FunctionCommand =
  /** Registers the function when it is new, and again when it was retired. */
  | { readonly kind: 'observe-function'; readonly key: FunctionKey; readonly observation: Observation;
      /** The guest that runs on the function, as its device's stream tells it. */
      readonly running: RunningGuest | null }
  | { readonly kind: 'claim-function'; readonly key: FunctionKey; readonly by: DeviceKey;
      /** The migration that keeps the function for the device; null when the device runs on it at once. */
      readonly migration: MigrationId | null }
  | { readonly kind: 'release-function'; readonly key: FunctionKey; readonly by: DeviceKey }
  | { readonly kind: 'retire-function'; readonly key: FunctionKey; readonly reason: string | null }
  | { readonly kind: 'use-shared-capability'; readonly key: FunctionKey; readonly capability: SharedCapability;
      readonly user: DeviceKey }
  | { readonly kind: 'free-shared-capability'; readonly key: FunctionKey; readonly capability: SharedCapability;
      readonly user: DeviceKey };

/** A guest on a function: the device that holds it, what it shows, and the observation that was decided over. */
export interface RunningGuest {
  readonly holder: Holder;
  readonly layout: DecidedLayout;
  readonly stoodOn: Observation;
  /** Of a VF whose PF was observed since; null where nothing new is known of it. */
  readonly family: FamilyTold | null;
}

/** Who has a function; `migration` is not null while the device is still elsewhere and the function kept for it. */
export interface FunctionClaim extends DeviceKey {
  readonly migration: MigrationId | null;
}

export type FunctionState =
  | { readonly kind: 'unregistered' }
  | RegisteredFunction;

/** The newest observation. */
export interface NewestObservation {
  readonly facts: Observation;
  /** Of the event that tells it; the bytes may be those of an earlier one. */
  readonly revision: number;
  /** Of the event that holds the bytes. */
  readonly configSpaceRevision: number;
}

export interface RegisteredFunction {
  readonly kind: 'registered';
  readonly key: FunctionKey;
  /** Events folded so far, less one: the revision of the newest. */
  readonly revision: number;
  /** Null only before the first one. */
  readonly observation: NewestObservation | null;
  readonly claim: FunctionClaim | null;
  /** The guest that ran on it at the newest observation, until it is released; null when none did. */
  readonly running: WatchedGuest | null;
  /** Devices of the family that use a capability of this PF, the first user first. */
  readonly users: Readonly<Record<SharedCapability, readonly DeviceKey[]>>;
  /** Not null from its retirement until it is observed again. */
  readonly retired: { readonly reason: string | null } | null;
}

export type FunctionRefusal =
  | ({ readonly kind: 'function-not-registered' } & FunctionKey)
  | ({ readonly kind: 'function-retired'; readonly reason: string | null } & FunctionKey)
  | ({ readonly kind: 'function-shared'; readonly capability: SharedCapability; readonly users: number } & FunctionKey)
  /** `kept`: by a migration, for a device that runs on another function still. */
  | ({ readonly kind: 'function-claimed'; readonly state: 'claimed' | 'kept';
      readonly by: FunctionClaim } & FunctionKey)
  | ({ readonly kind: 'function-not-claimed'; readonly claim: FunctionClaim | null } & FunctionKey);

const nobody: RegisteredFunction['users'] = { pasid: [], pri: [] };

/** What may happen to one physical function: it is seen, claimed by one device at a time, released, retired. */
export const functionDecider: Decider<
  FunctionCommand, FunctionState, FunctionEvent, FunctionRefusal, ForFold<FunctionEvent>
> = {
  initial: { kind: 'unregistered' },
  decide(command, state) {
    switch (command.kind) {
      case 'observe-function': return observe(command, state);
      case 'claim-function': return claim(command, state);
      case 'release-function': return release(command, state);
      case 'retire-function': return retire(command, state);
      case 'use-shared-capability': return use(command, state);
      case 'free-shared-capability': return free(command, state);
    }
  },
  evolve(state, event) {
    if (event.type === 'FunctionRegistered') {
      const key = { host: event.host, address: event.address };
      const revision = state.kind === 'unregistered' ? 0 : state.revision + 1;
      return {
        kind: 'registered', key, revision, observation: null, claim: null, running: null, users: nobody, retired: null,
      };
    }
    if (state.kind === 'unregistered') return state;
    const next = { ...state, revision: state.revision + 1 };
    switch (event.type) {
      case 'FunctionObserved': {
        const { configSpace, configSpaceDigest, kernel, firmware, iommu, sriov, holder, dangers } = event;
        const facts = { configSpace, configSpaceDigest, kernel, firmware, iommu, sriov };
        const { revision } = next;
        const observation = { facts, revision, configSpaceRevision: revision };
        return { ...next, observation, running: holder && { ...holder, dangers } };
      }
      case 'HostFactsObserved': {
        const { configSpaceRevision, holder, dangers } = event;
        const facts = next.observation && Observation.under(event, next.observation.facts);
        const observation = facts && { facts, revision: next.revision, configSpaceRevision };
        return { ...next, observation, running: holder && { ...holder, dangers } };
      }
      case 'ObservationConfirmed': return next;
      case 'FunctionClaimed': {
        const { vm, device, migration } = event;
        return { ...next, claim: { vm, device, migration } };
      }
      case 'FunctionReleased': return { ...next, claim: null, running: null };
      case 'FunctionRetired': return { ...next, retired: { reason: event.reason } };
      case 'SharedCapabilityUsed': {
        const { capability, vm, device } = event;
        return { ...next, users: { ...next.users, [capability]: [...next.users[capability], { vm, device }] } };
      }
      case 'SharedCapabilityFreed': {
        const left = next.users[event.capability].filter((one) => !isSame(one, event));
        return { ...next, users: { ...next.users, [event.capability]: left } };
      }
    }
  },
};

type Decision = Result<readonly FunctionEvent[], FunctionRefusal>;
type CommandOf<Kind extends FunctionCommand['kind']> = Extract<FunctionCommand, { kind: Kind }>;

function observe({ key, observation, running }: CommandOf<'observe-function'>, state: FunctionState): Decision {
  const before = state.kind === 'unregistered' || state.retired ? null : state.observation;
  const dangers = dangersOf(running, observation);
  const told = state.kind === 'registered' && state.running ? state.running.dangers : [];
  // An unchanged look is still a fact, and what an idempotency key is remembered by; it need not repeat the bytes.
  if (before && isEqual(before.facts, observation) && isEqual(told, dangers)) {
    return ok([{ type: 'ObservationConfirmed', schema: 1, configSpaceDigest: observation.configSpaceDigest }]);
  }
  const holder = running?.holder ?? null;
  if (before && before.facts.configSpace === observation.configSpace) {
    const { configSpaceDigest, kernel, firmware, iommu, sriov } = observation;
    const { configSpaceRevision } = before;
    return ok([{
      type: 'HostFactsObserved', schema: 1, holder, dangers, configSpaceDigest, configSpaceRevision, kernel, firmware,
      iommu, sriov,
    }]);
  }
  const observed: FunctionEvent = { type: 'FunctionObserved', schema: 1, holder, dangers, ...observation };
  if (state.kind !== 'unregistered' && !state.retired) return ok([observed]);
  return ok([{ type: 'FunctionRegistered', schema: 1, host: key.host, address: key.address }, observed]);
}

/** Nothing is missing while all is as it was when the layout was decided: most looks are at such a guest. */
function dangersOf(running: RunningGuest | null, seen: Observation): readonly VerdictReason[] {
  if (!running) return [];
  const { layout, stoodOn, family } = running;
  const isAsThen = isEqual(Observation.under(stoodOn, stoodOn), seen);
  const own = isAsThen ? [] : layoutDangers(layout, stoodOn, seen);
  return family ? [...own, ...familyDangers(layout, stoodOn, family)] : own;
}

function isEqual<Value>(one: Value, other: Value): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

function claim({ key, by, migration }: CommandOf<'claim-function'>, state: FunctionState): Decision {
  if (state.kind === 'unregistered') return refuse({ kind: 'function-not-registered', ...key });
  if (state.retired) return refuse({ kind: 'function-retired', ...key, ...state.retired });
  const { claim: held } = state;
  const arrives = held !== null && held.migration !== null && migration === null && isSame(held, by);
  if (held && !arrives) return refuse(isClaimed(key, held));
  return ok([{ type: 'FunctionClaimed', schema: 1, vm: by.vm, device: by.device, migration }]);
}

function isClaimed(key: FunctionKey, by: FunctionClaim): Extract<FunctionRefusal, { kind: 'function-claimed' }> {
  return { kind: 'function-claimed', ...key, state: by.migration === null ? 'claimed' : 'kept', by };
}

function release({ key, by }: CommandOf<'release-function'>, state: FunctionState): Decision {
  if (state.kind === 'unregistered') return refuse({ kind: 'function-not-registered', ...key });
  if (!state.claim || !isSame(state.claim, by)) {
    return refuse({ kind: 'function-not-claimed', ...key, claim: state.claim });
  }
  return ok([{ type: 'FunctionReleased', schema: 1, vm: by.vm, device: by.device }]);
}

function retire({ key, reason }: CommandOf<'retire-function'>, state: FunctionState): Decision {
  if (state.kind === 'unregistered') return refuse({ kind: 'function-not-registered', ...key });
  if (state.retired) return refuse({ kind: 'function-retired', ...key, ...state.retired });
  if (state.claim) return refuse(isClaimed(key, state.claim));
  const capability = sharedCapabilities.find((one) => state.users[one].length > 0);
  if (capability) {
    return refuse({ kind: 'function-shared', ...key, capability, users: state.users[capability].length });
  }
  return ok([{ type: 'FunctionRetired', schema: 1, reason }]);
}

/** Using what one uses already changes nothing. */
function use({ key, capability, user }: CommandOf<'use-shared-capability'>, state: FunctionState): Decision {
  if (state.kind === 'unregistered') return refuse({ kind: 'function-not-registered', ...key });
  if (state.retired) return refuse({ kind: 'function-retired', ...key, ...state.retired });
  const before = state.users[capability];
  if (before.some((one) => isSame(one, user))) return ok([]);
  const { vm, device } = user;
  return ok([{
    type: 'SharedCapabilityUsed', schema: 1, capability, vm, device, users: before.length + 1,
    first: before.length === 0,
  }]);
}

/** Freeing what one does not use changes nothing. */
function free({ key, capability, user }: CommandOf<'free-shared-capability'>, state: FunctionState): Decision {
  if (state.kind === 'unregistered') return refuse({ kind: 'function-not-registered', ...key });
  const before = state.users[capability];
  if (!before.some((one) => isSame(one, user))) return ok([]);
  const { vm, device } = user;
  return ok([{
    type: 'SharedCapabilityFreed', schema: 1, capability, vm, device, users: before.length - 1,
    last: before.length === 1,
  }]);
}

function isSame(one: DeviceKey, other: DeviceKey): boolean {
  return one.vm === other.vm && one.device === other.device;
}

/** A function as it is after its first look: for questions about one that is not recorded. */
export function observedOnce(key: FunctionKey, observation: Observation): RegisteredFunction {
  const seen = functionDecider.decide({ kind: 'observe-function', key, observation, running: null },
    functionDecider.initial);
  const state = fold(functionDecider, seen.ok ? seen.value : []);
  if (state.kind !== 'registered') throw new Error(`${functionStream(key)} was looked at and is not registered`);
  return state;
}
