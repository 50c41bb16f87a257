import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Bdf, refuse, type Result } from '@cadastre/config-space';
import { Digest, type VmmRequest } from '@cadastre/device-layout';
import {
  type Bundle, type BundledDevice, bundleFormat, deviceDecider, type DeviceKey, deviceStream, fold,
  type FunctionCommand, type FunctionKey, type HostName, importDecider, ImportId, type ImportKey, importStream,
  type ImportState, isImportEvent, type MoveAsked, type Moved, planMove, type PlannedMove, readBundle, type VmId,
  vmDecider, vmStream,
} from '@cadastre/lifecycle';
import { groundOf, guardsOf } from '../devices/ground-of.js';
import { functionChanges } from '../functions/function-changes.js';
import { ModelEvidence } from '../functions/model-evidence.js';
import { type CommandOutcome, type Refusal } from '../outcome.js';
import { type Change, type Decided, type Guard, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';

/** An import takes three streams for each device, and all of it is one append. */
export const importDevicesMax = 32;

/** Where the devices of a bundle go. */
export interface ImportTarget {
  readonly host: HostName;
  /** The VMM there; null is the one each device has. */
  readonly vmm: VmmRequest | null;
  /** The function of each device that was attached, by the device's name. */
  readonly functions: ReadonlyMap<string, Bdf>;
}

/** Takes the devices of a VM over from another ledger's bundle: all of them or none. */
export class ImportBundle extends Command<CommandOutcome<ImportState>> {
  constructor(
    readonly identity: RequestIdentity, readonly vm: VmId, readonly target: ImportTarget | null,
    /** The lines of the bundle, without their line breaks. */
    readonly lines: Iterable<string>,
  ) {
    super();
  }
}

/** Where a device can go, and the streams that told so. */
interface Judged {
  readonly moved: Moved;
  readonly standsOn: readonly Guard[];
}

type Found<Value> = { readonly kind: 'found'; readonly value: Value }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

@CommandHandler(ImportBundle)
export class ImportBundleHandler implements ICommandHandler<ImportBundle> {
  constructor(
    private readonly recorder: Recorder, private readonly reader: StreamReader,
    private readonly evidence: ModelEvidence,
  ) {}

  execute(command: ImportBundle): Promise<CommandOutcome<ImportState>> {
    const key = keyOf(command);
    return this.recorder.record(command.identity, {
      stream: importStream(key),
      decide: () => this.decide(command, key),
      stateAt: async (revision) => (await this.reader.import(key, revision)).state,
    });
  }

  private async decide({ vm, target, lines }: ImportBundle, key: ImportKey): Promise<Decided<ImportState>> {
    const read = readBundle(lines);
    if (!read.ok) return { kind: 'refused', refusal: read.refusal };
    const bundle = read.value;
    const differ = whatDiffers(vm, bundle, target);
    if (differ) return { kind: 'refused', refusal: differ };
    const { state: held, revision } = await this.reader.vm(vm);
    const free = vmDecider.decide({ kind: 'change-devices', vm }, held);
    if (!free.ok) return { kind: 'refused', refusal: free.refusal };
    const judged = await this.moves(bundle, target);
    if (judged.kind === 'refused') return judged;
    const moves = judged.value.map((one) => one?.moved ?? null);
    const known = await this.reader.import(key);
    const decided = importDecider.decide(
      { kind: 'import-bundle', key, format: bundleFormat, bundle, moves }, known.state);
    if (!decided.ok) return { kind: 'refused', refusal: decided.refusal };
    const along = await this.along(bundle, moves);
    if (along.kind === 'refused') return along;
    return {
      kind: 'decided',
      changes: [{ stream: importStream(key), expectedRevision: known.revision, events: decided.value }, ...along.value],
      standsOn: [
        { stream: vmStream(vm), expectedRevision: revision }, ...judged.value.flatMap((one) => one?.standsOn ?? []),
      ],
      after: (recorded) => fold(importDecider, recorded.filter(isImportEvent), known.state),
    };
  }

  private async moves({ devices }: Bundle, target: ImportTarget | null): Promise<Found<readonly (Judged | null)[]>> {
    const moves: (Judged | null)[] = [];
    for (const device of devices) {
      const address = target?.functions.get(device.key.device);
      if (!target || address === undefined) moves.push(null);
      else {
        const moved = await this.moveTo({ host: target.host, address }, device, target.vmm);
        if (moved.kind === 'refused') return moved;
        moves.push(moved.value);
      }
    }
    return { kind: 'found', value: moves };
  }

  private async moveTo(
    target: FunctionKey, { key, function: source, layout, guest, observed }: BundledDevice, vmm: VmmRequest | null,
  ): Promise<Found<Judged>> {
    const { state } = await this.reader.function(target);
    if (state.kind === 'unregistered') {
      return { kind: 'refused', refusal: { kind: 'function-not-registered', ...target } };
    }
    const ground = await groundOf(state, this.reader, this.evidence);
    const { physicalFunction, evidence } = ground;
    const device = { key, function: source, layout, guest };
    const moved = judged({ device, observed, target: state, physicalFunction, evidence, vmm });
    if (!moved.ok) return { kind: 'refused', refusal: moved.refusal };
    return { kind: 'found', value: { moved: moved.value, standsOn: guardsOf(ground) } };
  }

  /** What happens to devices and functions in the same append. */
  private async along(bundle: Bundle, moves: readonly (Moved | null)[]): Promise<Found<readonly Change[]>> {
    const devices: Change[] = [];
    const claims: FunctionCommand[] = [];
    for (const [index, device] of bundle.devices.entries()) {
      const moved = moves[index];
      const move = moved?.kind === 'possible' ? moved.move : null;
      const change = await this.deviceChange(bundle, device, move);
      if (change.kind === 'refused') return change;
      devices.push(change.value);
      if (move) claims.push({ kind: 'claim-function', key: move.target, by: device.key, migration: null });
    }
    const functions = await functionChanges(this.reader, claims);
    if (!functions.ok) return { kind: 'refused', refusal: functions.refusal };
    return { kind: 'found', value: [...devices, ...functions.value] };
  }

  private async deviceChange(
    { digest, position }: Bundle, device: BundledDevice, move: PlannedMove | null,
  ): Promise<Found<Change>> {
    const { key, function: source, revision, layout, observed, hotPlugOrder, plugins, isFound } = device;
    const here = await this.reader.device(key);
    const stream = deviceStream(key);
    const imported = deviceDecider.decide({
      kind: 'import-device', key, move,
      imported: {
        bundle: digest, source: { stream, revision, position, function: source }, layout, observed, hotPlugOrder,
        plugins, isFound,
      },
    }, here.state);
    if (!imported.ok) return { kind: 'refused', refusal: imported.refusal };
    return { kind: 'found', value: { stream, expectedRevision: here.revision, events: imported.value } };
  }
}

/** What no digest of a bundle covers can be anything a forger writes: what cannot be judged is damaged. */
function judged(asked: MoveAsked): Result<Moved, Refusal> {
  try {
    return planMove(asked);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return refuse({ kind: 'bundle-damaged', line: null, event: deviceStream(asked.device.key), problem });
  }
}

/** The same request has the same name, so that a client that lost the answer finds the import again. */
function keyOf({ identity: { idempotencyKey }, vm }: ImportBundle): ImportKey {
  const [, hash = ''] = Digest.of(`${vm} ${idempotencyKey}`).split(':');
  const id = ImportId.from(`i-${hash.slice(0, 16)}`);
  if (!id.ok) throw new Error(`a digest is no name: ${id.refusal.limit}`);
  return { vm, id: id.value };
}

function whatDiffers(vm: VmId, bundle: Bundle, target: ImportTarget | null): Refusal | undefined {
  if (bundle.vm !== vm) return { kind: 'bundle-of-another-vm', vm, bundle: bundle.vm };
  if (bundle.devices.length > importDevicesMax) {
    return { kind: 'import-too-large', vm, devices: bundle.devices.length, most: importDevicesMax };
  }
  const attached = namesOf(bundle.devices.filter(({ state }) => state === 'attached').map(({ key }) => key));
  const given = [...target?.functions.keys() ?? []];
  const missing = attached.filter((name) => !given.includes(name));
  const unknown = given.filter((name) => !attached.includes(name));
  return missing.length + unknown.length > 0 ? { kind: 'import-devices-differ', vm, attached, missing, unknown }
    : undefined;
}

function namesOf(keys: readonly DeviceKey[]): readonly string[] {
  return keys.map(({ device }) => String(device));
}
