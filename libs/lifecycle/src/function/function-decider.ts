import { ok, refuse, type Result } from '@cadastre/config-space';
import { canonicalJson } from '@cadastre/device-layout';
import { type Decider } from '../decider.js';
import { type DeviceKey, type FunctionKey } from '../stream-key.js';
import { type FunctionEvent } from './function-events.js';
import { type Observation } from './observation.js';

export type FunctionCommand =
  /** Registers the function when it is new. */
  | { readonly kind: 'observe-function'; readonly key: FunctionKey; readonly observation: Observation }
  | { readonly kind: 'claim-function'; readonly key: FunctionKey; readonly by: DeviceKey }
  | { readonly kind: 'release-function'; readonly key: FunctionKey; readonly by: DeviceKey };

export type FunctionState =
  | { readonly kind: 'unregistered' }
  | RegisteredFunction;

export interface RegisteredFunction {
  readonly kind: 'registered';
  readonly key: FunctionKey;
  /** Events folded so far, less one: the revision of the newest. */
  readonly revision: number;
  /** The newest observation, and the revision of the event that holds its bytes. Null only before the first one. */
  readonly observation: { readonly facts: Observation; readonly revision: number } | null;
  readonly claim: DeviceKey | null;
}

export type FunctionRefusal =
  | ({ readonly kind: 'function-not-registered' } & FunctionKey)
  | ({ readonly kind: 'function-claimed'; readonly by: DeviceKey } & FunctionKey)
  | ({ readonly kind: 'function-not-claimed'; readonly claim: DeviceKey | null } & FunctionKey);

/** What may happen to one physical function: it is seen, claimed by one device at a time, released. */
export const functionDecider: Decider<FunctionCommand, FunctionState, FunctionEvent, FunctionRefusal> = {
  initial: { kind: 'unregistered' },
  decide(command, state) {
    switch (command.kind) {
      case 'observe-function': return observe(command, state);
      case 'claim-function': return claim(command, state);
      case 'release-function': return release(command, state);
    }
  },
  evolve(state, event) {
    if (event.type === 'FunctionRegistered') {
      const key = { host: event.host, address: event.address };
      return { kind: 'registered', key, revision: 0, observation: null, claim: null };
    }
    if (state.kind === 'unregistered') return state;
    const next = { ...state, revision: state.revision + 1 };
    switch (event.type) {
      case 'FunctionObserved': {
        const { configSpace, configSpaceDigest, kernel, iommu, sriov } = event;
        const facts = { configSpace, configSpaceDigest, kernel, iommu, sriov };
        return { ...next, observation: { facts, revision: next.revision } };
      }
      case 'ObservationConfirmed': return next;
      case 'FunctionClaimed': return { ...next, claim: { vm: event.vm, device: event.device } };
      case 'FunctionReleased': return { ...next, claim: null };
    }
  },
};

type Decision = Result<readonly FunctionEvent[], FunctionRefusal>;
type CommandOf<Kind extends FunctionCommand['kind']> = Extract<FunctionCommand, { kind: Kind }>;

function observe({ key, observation }: CommandOf<'observe-function'>, state: FunctionState): Decision {
  const observed: FunctionEvent = { type: 'FunctionObserved', schema: 1, ...observation };
  if (state.kind === 'unregistered') {
    return ok([{ type: 'FunctionRegistered', schema: 1, host: key.host, address: key.address }, observed]);
  }
  const before = state.observation?.facts;
  // An unchanged look is still a fact, and what an idempotency key is remembered by; it need not repeat the bytes.
  if (before && canonicalJson(before) === canonicalJson(observation)) {
    return ok([{ type: 'ObservationConfirmed', schema: 1, configSpaceDigest: observation.configSpaceDigest }]);
  }
  return ok([observed]);
}

function claim({ key, by }: CommandOf<'claim-function'>, state: FunctionState): Decision {
  if (state.kind === 'unregistered') return refuse({ kind: 'function-not-registered', ...key });
  if (state.claim) return refuse({ kind: 'function-claimed', ...key, by: state.claim });
  return ok([{ type: 'FunctionClaimed', schema: 1, vm: by.vm, device: by.device }]);
}

function release({ key, by }: CommandOf<'release-function'>, state: FunctionState): Decision {
  if (state.kind === 'unregistered') return refuse({ kind: 'function-not-registered', ...key });
  if (state.claim?.vm !== by.vm || state.claim.device !== by.device) {
    return refuse({ kind: 'function-not-claimed', ...key, claim: state.claim });
  }
  return ok([{ type: 'FunctionReleased', schema: 1, vm: by.vm, device: by.device }]);
}
