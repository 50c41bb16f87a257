import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Digest, type VmmRequest } from '@cadastre/device-layout';
import { type Bdf } from '@cadastre/config-space';
import {
  type AttachedDevice, fold, type HostName, isMigrationEvent, migrationDecider, type MigrationKey, MigrationId,
  type MigrationState, migrationStream, type Moved, planMove, type VmId,
} from '@cadastre/lifecycle';
import { Views } from '@cadastre/views';
import { attachedDevices } from '../devices/attached-devices.js';
import { groundOf } from '../devices/ground-of.js';
import { ModelEvidence } from '../functions/model-evidence.js';
import { type CommandOutcome, type Refusal } from '../outcome.js';
import { type Decided, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';

/** Completing takes five streams for each device, and their plans have to fit one event. */
const migrationDevicesMax = 16;

/** Plans a migration of a VM: every device to a function of another host, or none. */
export class PlanMigration extends Command<CommandOutcome<MigrationState>> {
  constructor(
    readonly identity: RequestIdentity, readonly vm: VmId, readonly host: HostName, readonly vmm: VmmRequest | null,
    /** Where each device is to go, by the device's name. */
    readonly functions: ReadonlyMap<string, Bdf>,
  ) {
    super();
  }
}

type PlannedOne = { readonly kind: 'planned'; readonly move: Moved }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

@CommandHandler(PlanMigration)
export class PlanMigrationHandler implements ICommandHandler<PlanMigration> {
  constructor(
    private readonly recorder: Recorder, private readonly reader: StreamReader, private readonly views: Views,
    private readonly evidence: ModelEvidence,
  ) {}

  execute(command: PlanMigration): Promise<CommandOutcome<MigrationState>> {
    const key = keyOf(command);
    return this.recorder.record(command.identity, {
      stream: migrationStream(key),
      decide: () => this.decide(command, key),
      stateAt: async (revision) => (await this.reader.migration(key, revision)).state,
    });
  }

  private async decide(
    { vm, host, vmm, functions }: PlanMigration, key: MigrationKey,
  ): Promise<Decided<MigrationState>> {
    const { state, revision } = await this.reader.migration(key);
    const known = await attachedDevices(vm, this.views, this.reader);
    if (known.kind === 'refused') return known;
    if (known.ever === 0) return { kind: 'refused', refusal: { kind: 'vm-unknown', vm } };
    const { devices } = known;
    const differ = whatDiffers(vm, devices, functions);
    if (differ) return { kind: 'refused', refusal: differ };
    const moves: Moved[] = [];
    for (const device of devices) {
      const planned = await this.planMove(device, host, functions, vmm);
      if (planned.kind === 'refused') return planned;
      moves.push(planned.move);
    }
    const decided = migrationDecider.decide({ kind: 'plan-migration', key, host, vmm, moves }, state);
    if (!decided.ok) return { kind: 'refused', refusal: decided.refusal };
    return {
      kind: 'decided',
      changes: [{ stream: migrationStream(key), expectedRevision: revision, events: decided.value }],
      after: (recorded) => fold(migrationDecider, recorded.filter(isMigrationEvent), state),
    };
  }

  private async planMove(
    device: AttachedDevice, host: HostName, functions: PlanMigration['functions'], vmm: VmmRequest | null,
  ): Promise<PlannedOne> {
    const { key, layout } = device;
    const address = functions.get(key.device);
    if (!layout || address === undefined) throw new Error(`${key.device} was looked at and has no target or layout`);
    const { state: target } = await this.reader.function({ host, address });
    if (target.kind === 'unregistered') {
      const reasons = [`function-${host}/${address} is not registered`];
      return { kind: 'planned', move: { kind: 'impossible', move: {
        device: key.device, target: { host, address }, verdict: null, reasons } } };
    }
    const observed = await this.reader.observation(layout.observation);
    const { physicalFunction, evidence } = await groundOf(target, this.reader, this.evidence);
    const moved = planMove({ device, observed, target, physicalFunction, evidence, vmm });
    return moved.ok ? { kind: 'planned', move: moved.value } : { kind: 'refused', refusal: moved.refusal };
  }
}

/** The same request has the same name, so that a client that lost the answer finds the migration again. */
function keyOf({ identity: { idempotencyKey }, vm }: PlanMigration): MigrationKey {
  const [, hash = ''] = Digest.of(`${vm} ${idempotencyKey}`).split(':');
  const id = MigrationId.from(`m-${hash.slice(0, 16)}`);
  if (!id.ok) throw new Error(`a digest is no name: ${id.refusal.limit}`);
  return { vm, id: id.value };
}

function whatDiffers(
  vm: VmId, devices: readonly AttachedDevice[], functions: PlanMigration['functions'],
): Refusal | undefined {
  const attached = devices.map(({ key }) => String(key.device));
  const missing = attached.filter((name) => !functions.has(name));
  const unknown = [...functions.keys()].filter((name) => !attached.includes(name));
  if (attached.length > migrationDevicesMax) {
    return { kind: 'migration-too-large', vm, devices: attached.length, most: migrationDevicesMax };
  }
  if (attached.length > 0 && missing.length === 0 && unknown.length === 0) return undefined;
  return { kind: 'migration-devices-differ', vm, attached, missing, unknown };
}
