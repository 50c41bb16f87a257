import { type ConfigSpace, ok, refuse, type Result } from '@cadastre/config-space';
import { type Digest, type Placement } from '@cadastre/device-layout';
import { type Decider } from '../decider.js';
import { type ForFold } from '../for-fold.js';
import { type FunctionCommand } from '../function/function-decider.js';
import { type Observation } from '../function/observation.js';
import { type PlannedMove } from '../migration/migration-events.js';
import { type MigrationId } from '../name.js';
import { type DeviceKey, type FunctionKey, functionStream } from '../stream-key.js';
import {
  decideLayout, type DecideRefusal, type LayoutGround, type LayoutWish, type ShownPlaces,
} from './decide-layout.js';
import {
  type DecidedLayout, type DeviceEvent, type ExplainedDifference, type LikelyCause, type MissingPlacement,
} from './device-events.js';
import { type GuestSpaceTooShort, judgeGuest } from './judge-guest.js';
import {
  detachAll, type PasidCommand, pasidDecider, type PasidState, type PasidUseRefusal, sharedUses,
} from './pasids/pasid-decider.js';

export type DeviceCommand =
  | { readonly kind: 'attach-device'; readonly key: DeviceKey; readonly ground: LayoutGround;
      readonly wish: LayoutWish; readonly hotPlugOrder: number | null }
  /** Decides again for an attached device whose layout no guest has seen. */
  | { readonly kind: 'decide-layout'; readonly key: DeviceKey; readonly ground: LayoutGround;
      readonly wish: LayoutWish }
  /** What the guest reads; `observed` is the observation the layout was decided over. */
  | { readonly kind: 'observe-guest'; readonly key: DeviceKey; readonly observed: Observation;
      readonly seen: ConfigSpace }
  /** What a migration decided beforehand, when its VM runs at the target. */
  | { readonly kind: 'move-device'; readonly key: DeviceKey; readonly to: FunctionKey; readonly layout: DecidedLayout;
      readonly migration: MigrationId }
  /** What another ledger told; `move` puts it on a function of this one. */
  | { readonly kind: 'import-device'; readonly key: DeviceKey; readonly imported: ImportedDevice;
      readonly move: PlannedMove | null }
  | { readonly kind: 'detach-device'; readonly key: DeviceKey; readonly reason: string | null }
  | PasidCommand;

/** What was last read inside the guest. */
export type GuestSeen =
  | { readonly kind: 'confirmed'; readonly revision: number; readonly guestConfigSpaceDigest: Digest }
  | { readonly kind: 'diverged'; readonly revision: number; readonly guestConfigSpaceDigest: Digest;
      readonly missing: readonly MissingPlacement[]; readonly differences: readonly ExplainedDifference[];
      readonly differingBytes: number;
      readonly cause: LikelyCause | null };

/** How it is known that a guest has found a layout, and may have cached its offsets. */
export interface LayoutFound {
  readonly revision: number;
  /** Its config space was read, it enabled PASID, or it came from another function with the layout. */
  readonly by: 'observation' | 'pasid' | 'migration';
}

/** A device as another ledger told of it. */
export type ImportedDevice = Pick<EventOf<'LayoutImported'>,
  'bundle' | 'source' | 'layout' | 'observed' | 'hotPlugOrder' | 'plugins'> & { readonly isFound: boolean };

export type DeviceState =
  | { readonly kind: 'unknown' }
  | AttachedDevice
  | { readonly kind: 'detached'; readonly key: DeviceKey; readonly revision: number; readonly last: FunctionKey;
      readonly shown: ShownPlaces | null;
      /** Why it was detached, in the words of whoever did. */
      readonly reason: string | null };

export interface AttachedDevice {
  readonly kind: 'attached';
  readonly key: DeviceKey;
  readonly revision: number;
  readonly function: FunctionKey;
  readonly hotPlugOrder: number | null;
  /** Null only between the two events of one attach. */
  readonly layout: DecidedLayout | null;
  /** Revision of the event that decided the layout. */
  readonly decidedAt: number | null;
  /** Places of earlier attachments of the device. */
  readonly before: ShownPlaces | null;
  /** Null while nobody told what the guest reads. */
  readonly guest: GuestSeen | null;
  /** Since when a guest is known to have found the layout; null while none may have. */
  readonly found: LayoutFound | null;
  readonly pasids: PasidState;
}

export type DeviceRefusal =
  | ({ readonly kind: 'device-attached'; readonly function: FunctionKey } & DeviceKey)
  /** `revision` is that of its stream; null when it was never begun. */
  | ({ readonly kind: 'device-not-attached'; readonly state: DeviceState['kind'];
      readonly revision: number | null } & DeviceKey)
  /** A guest has seen the layout: it is never decided again under it. */
  | ({ readonly kind: 'layout-seen' } & LayoutFound & DeviceKey)
  | DecideRefusal
  | PasidUseRefusal
  | GuestSpaceTooShort;

/** What may happen to one device of one VM: it is attached with a decided layout, seen by its guest, and detached. */
export const deviceDecider: Decider<
  DeviceCommand, DeviceState, DeviceEvent, DeviceRefusal, ForFold<DeviceEvent>
> = {
  initial: { kind: 'unknown' },
  decide(command, state) {
    switch (command.kind) {
      case 'attach-device': return attach(command, state);
      case 'decide-layout': return decideAgain(command, state);
      case 'observe-guest': return observeGuest(command, state);
      case 'move-device': return move(command, state);
      case 'import-device': return importDevice(command, state);
      case 'detach-device': return detach(command, state);
      // Whatever is left is for them: the compiler knows.
      default: return usePasids(command, state);
    }
  },
  evolve(state, event) {
    const revision = state.kind === 'unknown' ? 0 : state.revision + 1;
    if (event.type === 'DeviceAttached') {
      const { vm, device, function: attached, hotPlugOrder } = event;
      const before = state.kind === 'detached' ? state.shown : null;
      return {
        kind: 'attached', key: { vm, device }, revision, function: attached, hotPlugOrder, layout: null,
        decidedAt: null, before, guest: null, found: null, pasids: pasidDecider.initial,
      };
    }
    if (event.type === 'LayoutImported') return imported(event, revision);
    if (state.kind !== 'attached') return state;
    switch (event.type) {
      case 'LayoutDecided': {
        return { ...state, revision, layout: layoutOf(event), decidedAt: revision };
      }
      case 'LayoutConfirmed': {
        const { guestConfigSpaceDigest } = event;
        return {
          ...state, revision, guest: { kind: 'confirmed', revision, guestConfigSpaceDigest },
          found: foundBy('observation', state, revision),
        };
      }
      case 'LayoutDiverged': {
        const { guestConfigSpaceDigest, missing, differences, cause } = event;
        const differingBytes = differences.reduce((sum, { length }) => sum + length, 0);
        return {
          ...state, revision,
          guest: {
            kind: 'diverged', revision, guestConfigSpaceDigest, missing, differences, differingBytes, cause,
          },
          found: foundBy('observation', state, revision),
        };
      }
      // The guest goes on with what it has seen; its PASIDs are attached anew at the target.
      case 'DeviceMoved': return {
        ...state, revision, function: event.to, pasids: pasidDecider.initial,
        found: foundBy('migration', state, revision),
      };
      case 'DeviceDetached':
        return {
          kind: 'detached', key: state.key, revision, last: event.function, shown: shownBy(state), reason: event.reason,
        };
      default: return {
        ...state, revision, pasids: pasidDecider.evolve(state.pasids, event),
        found: event.type === 'PasidEnabled' ? foundBy('pasid', state, revision) : state.found,
      };
    }
  },
};

function imported(
  { vm, device, source, layout, function: here, hotPlugOrder, found }: EventOf<'LayoutImported'>, revision: number,
): DeviceState {
  const key = { vm, device };
  const shown = placesOf(layout);
  if (!here) return { kind: 'detached', key, revision, last: source.function, shown, reason: null };
  return {
    kind: 'attached', key, revision, function: here, hotPlugOrder, layout: null, decidedAt: null, before: shown,
    guest: null, found: found ? { by: 'migration', revision } : null, pasids: pasidDecider.initial,
  };
}

/** Why something that takes an attached device, with its layout, is not done. */
export function notAttached(
  key: DeviceKey, state: DeviceState,
): Extract<DeviceRefusal, { kind: 'device-not-attached' }> {
  const revision = state.kind === 'unknown' ? null : state.revision;
  return { kind: 'device-not-attached', vm: key.vm, device: key.device, state: state.kind, revision };
}

/** The first sign counts, until the device is detached. */
function foundBy(by: LayoutFound['by'], { found }: AttachedDevice, revision: number): LayoutFound {
  return found ?? { by, revision };
}

/** The decision without the name of its event; in canonical order, so that a digest of the state copies none of it. */
function layoutOf(event: EventOf<'LayoutDecided'>): DecidedLayout {
  const { evidence, extendedList, grants, guestConfigSpaceDigest, identity, layoutDigest, observation } = event;
  const { operations, patches, persona, physicalFunction, placements, planner, policy, relocations } = event;
  const { requested, reserved, standardList, told, vmm } = event;
  return {
    evidence, extendedList, grants, guestConfigSpaceDigest, identity, layoutDigest, observation, operations, patches,
    persona, physicalFunction, placements, planner, policy, relocations, requested, reserved, standardList, told, vmm,
  };
}

type Decision = Result<readonly DeviceEvent[], DeviceRefusal>;
type CommandOf<Kind extends DeviceCommand['kind']> = Extract<DeviceCommand, { kind: Kind }>;
type EventOf<Type extends DeviceEvent['type']> = Extract<DeviceEvent, { type: Type }>;

function attach({ key, ground, wish, hotPlugOrder }: CommandOf<'attach-device'>, state: DeviceState): Decision {
  if (state.kind === 'attached') return refuse({ kind: 'device-attached', ...key, function: state.function });
  const decided = decideLayout(key, wish, ground, state.kind === 'detached' ? state.shown : null);
  if (!decided.ok) return decided;
  const { vm, device } = key;
  return ok([
    { type: 'DeviceAttached', schema: 1, vm, device, function: ground.function.key, hotPlugOrder },
    { type: 'LayoutDecided', schema: 1, ...decided.value },
  ]);
}

function decideAgain({ key, ground, wish }: CommandOf<'decide-layout'>, state: DeviceState): Decision {
  if (state.kind !== 'attached') return refuse(notAttached(key, state));
  if (state.found) return refuse({ kind: 'layout-seen', ...key, ...state.found });
  const decided = decideLayout(key, wish, ground, state.before);
  return decided.ok ? ok([{ type: 'LayoutDecided', schema: 1, ...decided.value }]) : decided;
}

function observeGuest({ key, observed, seen }: CommandOf<'observe-guest'>, state: DeviceState): Decision {
  if (state.kind !== 'attached' || !state.layout) return refuse(notAttached(key, state));
  const judged = judgeGuest(state.layout, observed, seen);
  return judged.ok ? ok([judged.value]) : judged;
}

function detach({ key, reason }: CommandOf<'detach-device'>, state: DeviceState): Decision {
  if (state.kind !== 'attached') return refuse(notAttached(key, state));
  const left = state.pasids.attached.count > 0 ? [detachAll('device-detach', state.pasids)] : [];
  return ok([...left, { type: 'DeviceDetached', schema: 1, function: state.function, reason }]);
}

function move({ key, to, layout, migration }: CommandOf<'move-device'>, state: DeviceState): Decision {
  if (state.kind !== 'attached') return refuse(notAttached(key, state));
  const left = state.pasids.attached.count > 0 ? [detachAll('migration', state.pasids)] : [];
  return ok([
    ...left, { type: 'DeviceMoved', schema: 1, from: state.function, to, migration },
    { type: 'LayoutDecided', schema: 1, ...layout },
  ]);
}

function importDevice({ key, imported: told, move }: CommandOf<'import-device'>, state: DeviceState): Decision {
  if (state.kind === 'attached') return refuse({ kind: 'device-attached', ...key, function: state.function });
  const { vm, device } = key;
  const { isFound: found, ...of } = told;
  const event: DeviceEvent = {
    type: 'LayoutImported', schema: 1, vm, device, ...of, found, function: move?.target ?? null,
    verdict: move?.verdict ?? null,
  };
  return ok(move ? [event, { type: 'LayoutDecided', schema: 1, ...move.layout }] : [event]);
}

/** PASIDs are those of an attached device, and end with its attachment. */
function usePasids(command: PasidCommand, state: DeviceState): Decision {
  if (state.kind !== 'attached') return refuse(notAttached(command.key, state));
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

/** What the guest of a device may have cached when it loses the device. */
function shownBy({ layout, before }: AttachedDevice): ShownPlaces | null {
  return layout ? placesOf(layout) : before;
}

function placesOf({ identity, placements, reserved }: DecidedLayout): ShownPlaces {
  const places: readonly Placement[] = [...placements, ...reserved];
  return { identity, places };
}
