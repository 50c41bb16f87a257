import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  deviceDecider, deviceStream, type DeviceState, familyCommands, fold, type FunctionCommand,
  functionStream, isMigrationEvent, type KnownMigration, migrationDecider, type MigrationKey,
  type MigrationState, migrationStream, type MoveNow, vmDecider, vmStream,
} from '@cadastre/lifecycle';
import { Views } from '@cadastre/views';
import { attachedDevices } from '../devices/attached-devices.js';
import { guardsOf, physicalFunctionOf } from '../devices/ground-of.js';
import { functionChanges } from '../functions/function-changes.js';
import { type CommandOutcome, type Precondition, type Refusal } from '../outcome.js';
import { missing, unmet } from '../precondition.js';
import { type Change, type Decided, type Guard, Recorder, type RequestIdentity } from '../recorder.js';
import { type Read, StreamReader } from '../stream-reader.js';

/** What takes a migration on, and the state it then has. */
const reached = { prepare: 'prepared', complete: 'completed', abort: 'aborted' } as const;
export type MigrationStep = keyof typeof reached;

/** Claims the target, moves the devices there, or gives everything up. */
export class AdvanceMigration extends Command<CommandOutcome<MigrationState>> {
  constructor(
    readonly identity: RequestIdentity, readonly key: MigrationKey, readonly step: MigrationStep,
    readonly reason: string | null, readonly precondition: Precondition,
  ) {
    super();
  }
}

/** The streams of one move as they are now, and where each was read. */
interface Standing extends MoveNow {
  readonly read: Read<DeviceState>;
  readonly guards: readonly Guard[];
}

type Along = { readonly kind: 'changes'; readonly changes: readonly Change[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

@CommandHandler(AdvanceMigration)
export class AdvanceMigrationHandler implements ICommandHandler<AdvanceMigration> {
  constructor(
    private readonly recorder: Recorder, private readonly reader: StreamReader, private readonly views: Views,
  ) {}

  execute(command: AdvanceMigration): Promise<CommandOutcome<MigrationState>> {
    return this.recorder.record(command.identity, {
      stream: migrationStream(command.key),
      decide: () => this.decide(command),
      stateAt: async (revision) => (await this.reader.migration(command.key, revision)).state,
    });
  }

  private async decide({ key, step, reason, precondition }: AdvanceMigration): Promise<Decided<MigrationState>> {
    const { state, revision } = await this.reader.migration(key);
    const stream = migrationStream(key);
    if (state.kind === 'unknown') return { kind: 'refused', refusal: { kind: 'migration-unknown', ...key } };
    // Whoever lost an answer, or crashed, asks again: what stands is the answer.
    if (state.kind === reached[step]) return { kind: 'settled', stream, revision: state.revision, state };
    const stale = unmet(precondition, stream, revision) ?? missing(precondition, stream, revision);
    if (stale) return { kind: 'refused', refusal: stale };
    const moves = await this.standing(state);
    const known = await attachedDevices(key.vm, this.views, this.reader);
    if (known.kind === 'refused') return known;
    const attached = known.devices.map(({ key: { device } }) => device);
    const decided = migrationDecider.decide(step === 'abort' ? { kind: 'abort-migration', key, reason }
      : { kind: `${step}-migration`, key, now: { moves, attached } }, state);
    if (!decided.ok) return { kind: 'refused', refusal: decided.refusal };
    const along = await this.along(step, state, moves);
    if (along.kind === 'refused') return along;
    return {
      kind: 'decided',
      changes: [{ stream, expectedRevision: revision, events: decided.value }, ...along.changes],
      // An abort gives up, whatever happened meanwhile.
      standsOn: step === 'abort' ? [] : moves.flatMap(({ guards }) => guards),
      after: (recorded) => fold(migrationDecider, recorded.filter(isMigrationEvent), state),
    };
  }

  private standing({ key: { vm }, moves }: KnownMigration): Promise<readonly Standing[]> {
    return Promise.all(moves.map(async ({ device, target: there }): Promise<Standing> => {
      const read = await this.reader.device({ vm, device });
      const { state: target } = await this.reader.function(there);
      if (target.kind === 'unregistered') throw new Error(`${functionStream(there)} was planned and is not registered`);
      const physicalFunction = await physicalFunctionOf(target, this.reader);
      return {
        read, device: read.state, target, physicalFunction: physicalFunction?.state ?? null,
        guards: [
          { stream: deviceStream({ vm, device }), expectedRevision: read.revision },
          ...guardsOf({ function: target, physicalFunction }),
        ],
      };
    }));
  }

  /** What happens to functions and devices in the same append. */
  private async along(step: MigrationStep, state: KnownMigration, now: readonly Standing[]): Promise<Along> {
    const { moves, key: { vm, id } } = state;
    const commands: FunctionCommand[] = [];
    const devices: Change[] = [];
    for (const [index, { device, source, target, layout }] of moves.entries()) {
      const by = { vm, device };
      if (step === 'prepare') commands.push({ kind: 'claim-function', key: target, by, migration: id });
      if (step === 'abort' && state.kind === 'prepared') commands.push({ kind: 'release-function', key: target, by });
      if (step !== 'complete') continue;
      const read = now[index]?.read;
      if (!read) throw new Error(`nothing was read of ${device}`);
      const move = { kind: 'move-device', key: by, to: target, layout, migration: id } as const;
      const moved = deviceDecider.decide(move, read.state);
      if (!moved.ok) return { kind: 'refused', refusal: moved.refusal };
      devices.push({ stream: deviceStream(by), expectedRevision: read.revision, events: moved.value });
      commands.push(...familyCommands(by, read.state, fold(deviceDecider, moved.value, read.state)),
        { kind: 'release-function', key: source, by }, { kind: 'claim-function', key: target, by, migration: null });
    }
    const functions = await functionChanges(this.reader, commands);
    if (!functions.ok) return { kind: 'refused', refusal: functions.refusal };
    const held = await this.reader.vm(vm);
    const kind = step === 'prepare' ? 'hold-vm' : 'release-vm';
    const vms = vmDecider.decide({ kind, vm, migration: id }, held.state);
    if (!vms.ok) return { kind: 'refused', refusal: vms.refusal };
    const hold = { stream: vmStream(vm), expectedRevision: held.revision, events: vms.value };
    return { kind: 'changes', changes: [...devices, ...functions.value, ...(vms.value.length > 0 ? [hold] : [])] };
  }
}
