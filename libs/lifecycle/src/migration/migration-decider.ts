import { ok, refuse, type Result } from '@cadastre/config-space';
import { type VmmRequest } from '@cadastre/device-layout';
import { type Decider } from '../decider.js';
import { type DeviceState } from '../device/device-decider.js';
import { type ObservationReference } from '../device/device-events.js';
import { type ForFold } from '../for-fold.js';
import { type FunctionState, type RegisteredFunction } from '../function/function-decider.js';
import { type DeviceId, type HostName, type MigrationId, type VmId } from '../name.js';
import { functionStream } from '../stream-key.js';
import { type MigrationEvent, type PlannedMove } from './migration-events.js';
import { divergedAt, type ImpossibleMove, type Moved } from './plan-move.js';

/** A migration of one VM. */
export interface MigrationKey {
  readonly vm: VmId;
  readonly id: MigrationId;
}

/** What the streams of one planned device tell now. */
export interface MoveNow {
  readonly device: DeviceState;
  readonly target: FunctionState;
  /** Of a target that is a VF, as far as it is registered. */
  readonly physicalFunction: RegisteredFunction | null;
}

/** What there is when a migration goes on: of each move, in the order of the plan; and all devices of the VM. */
export interface VmNow {
  readonly moves: readonly MoveNow[];
  readonly attached: readonly DeviceId[];
}

export type MigrationCommand =
  | { readonly kind: 'plan-migration'; readonly key: MigrationKey; readonly host: HostName;
      readonly vmm: VmmRequest | null; readonly moves: readonly Moved[] }
  | { readonly kind: 'prepare-migration'; readonly key: MigrationKey; readonly now: VmNow }
  | { readonly kind: 'complete-migration'; readonly key: MigrationKey; readonly now: VmNow }
  | { readonly kind: 'abort-migration'; readonly key: MigrationKey; readonly reason: string | null };

export const migrationStates = ['planned', 'prepared', 'completed', 'aborted'] as const;

export interface KnownMigration {
  readonly kind: (typeof migrationStates)[number];
  readonly key: MigrationKey;
  readonly revision: number;
  readonly host: HostName;
  readonly vmm: VmmRequest | null;
  readonly moves: readonly PlannedMove[];
  /** Why it was aborted. */
  readonly reason: string | null;
}

export type MigrationState = { readonly kind: 'unknown' } | KnownMigration;

export type MigrationRefusal =
  | { readonly kind: 'migration-impossible'; readonly vm: string; readonly devices: readonly ImpossibleMove[] }
  | ({ readonly kind: 'migration-state'; readonly state: MigrationState['kind'];
      readonly allowed: readonly KnownMigration['kind'][] } & MigrationKey)
  /** What changed since the plan, in words; a new plan sees it. */
  | ({ readonly kind: 'migration-stale'; readonly changes: readonly string[] } & MigrationKey);

/** What may happen to a migration: it is planned all or nothing, prepared, and completed or aborted. */
export const migrationDecider: Decider<
  MigrationCommand, MigrationState, MigrationEvent, MigrationRefusal, ForFold<MigrationEvent>
> = {
  initial: { kind: 'unknown' },
  decide(command, state) {
    switch (command.kind) {
      case 'plan-migration': return plan(command, state);
      case 'prepare-migration': return advance(command, state, 'planned', 'MigrationPrepared');
      case 'complete-migration': return advance(command, state, 'prepared', 'MigrationCompleted');
      case 'abort-migration': return abort(command, state);
    }
  },
  evolve(state, event) {
    if (event.type === 'MigrationPlanned') {
      const { vm, id, host, vmm, moves } = event;
      return { kind: 'planned', key: { vm, id }, revision: 0, host, vmm, moves, reason: null };
    }
    if (state.kind === 'unknown') return state;
    const revision = state.revision + 1;
    switch (event.type) {
      case 'MigrationPrepared': return { ...state, revision, kind: 'prepared' };
      case 'MigrationCompleted': return { ...state, revision, kind: 'completed' };
      case 'MigrationAborted': return { ...state, revision, kind: 'aborted', reason: event.reason };
    }
  },
};

type Decision = Result<readonly MigrationEvent[], MigrationRefusal>;
type CommandOf<Kind extends MigrationCommand['kind']> = Extract<MigrationCommand, { kind: Kind }>;

/** One device that cannot go keeps all of them here. */
function plan({ key, host, vmm, moves }: CommandOf<'plan-migration'>, state: MigrationState): Decision {
  if (state.kind !== 'unknown') return refuse({ kind: 'migration-state', ...key, state: state.kind, allowed: [] });
  const targets = moves.map(({ move }) => functionStream(move.target));
  const impossible = moves.flatMap(({ kind, move }, index): ImpossibleMove[] => {
    if (kind === 'impossible') return [move];
    if (targets.indexOf(functionStream(move.target)) === index) return [];
    return [{ device: move.device, target: move.target, verdict: null, reasons: ['another device goes there'] }];
  });
  if (impossible.length > 0) return refuse({ kind: 'migration-impossible', vm: key.vm, devices: impossible });
  const possible = moves.flatMap((one) => (one.kind === 'possible' ? [one.move] : []));
  return ok([{ type: 'MigrationPlanned', schema: 1, ...key, host, vmm, moves: possible }]);
}

function advance(
  { key, now }: CommandOf<'prepare-migration' | 'complete-migration'>, state: MigrationState,
  from: 'planned' | 'prepared', type: 'MigrationPrepared' | 'MigrationCompleted',
): Decision {
  if (state.kind === 'unknown' || state.kind !== from) {
    return refuse({ kind: 'migration-state', ...key, state: state.kind, allowed: [from] });
  }
  const planned = state.moves.map(({ device }) => String(device));
  const changes = [
    ...state.moves.flatMap((move, index) => changesSince(move, state, now.moves[index])),
    // All or nothing: whoever came later would stay behind.
    ...now.attached.filter((device) => !planned.includes(device)).map((device) =>
      `device ${device} is attached since, and goes nowhere`),
  ];
  return changes.length > 0 ? refuse({ kind: 'migration-stale', ...key, changes }) : ok([{ type, schema: 1 }]);
}

function abort({ key, reason }: CommandOf<'abort-migration'>, state: MigrationState): Decision {
  if (state.kind !== 'planned' && state.kind !== 'prepared') {
    return refuse({ kind: 'migration-state', ...key, state: state.kind, allowed: ['planned', 'prepared'] });
  }
  return ok([{ type: 'MigrationAborted', schema: 1, reason }]);
}

/** What is not any more as the plan found it. */
function changesSince(
  { device, source, sourceLayoutDigest, decidedAt, divergedAt: readAt, target, observation, layout }: PlannedMove,
  { kind, key: { vm, id } }: KnownMigration, now: MoveNow | undefined,
): readonly string[] {
  if (!now) throw new Error(`nothing is known of ${vm}/${device}`);
  const changes: string[] = [];
  if (now.device.kind !== 'attached') changes.push(`device ${device} is ${now.device.kind}`);
  else if (functionStream(now.device.function) !== functionStream(source)) {
    changes.push(`device ${device} is on ${functionStream(now.device.function)} now`);
  } else if (now.device.layout?.layoutDigest !== sourceLayoutDigest || now.device.decidedAt !== decidedAt) {
    changes.push(`device ${device} has another layout now`);
  } else if (divergedAt(now.device.guest) !== readAt) {
    changes.push(`the guest of device ${device} was read since, and reads something else`);
  }
  const there = functionStream(target);
  if (now.target.kind === 'unregistered') throw new Error(`${there} was planned and is not registered`);
  if (now.target.observation?.revision !== observation.revision) {
    changes.push(`${there} was observed anew: revision ${now.target.observation?.revision ?? 'none'}`);
  }
  changes.push(...familyChanges(layout.physicalFunction, now.physicalFunction));
  const { claim } = now.target;
  const isOurs = claim?.vm === vm && claim.device === device && claim.migration === id;
  if (claim && !(kind === 'prepared' && isOurs)) changes.push(`${there} is claimed by ${claim.vm}/${claim.device}`);
  if (!claim && kind === 'prepared') changes.push(`${there} is claimed by nobody`);
  return changes;
}

/** A VF takes places and registers from its PF: what is planned stands on that observation, too. */
function familyChanges(planned: ObservationReference | null, now: RegisteredFunction | null): readonly string[] {
  const stream = now && functionStream(now.key);
  const revision = now?.observation?.revision ?? null;
  if (planned?.revision === revision && planned.stream === stream) return [];
  if (planned === null) return revision === null ? [] : [`${stream} was observed since: revision ${revision}`];
  return [`${planned.stream} was observed anew: revision ${revision ?? 'none'}`];
}
