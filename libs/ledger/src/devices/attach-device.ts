import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  deviceDecider, type DeviceKey, type DeviceState, deviceStream, fold, functionDecider, type FunctionKey,
  functionStream, isDeviceEvent, vmDecider, vmStream,
} from '@cadastre/lifecycle';
import { ModelEvidence } from '../functions/model-evidence.js';
import { type CommandOutcome, type Precondition } from '../outcome.js';
import { missing, unmet } from '../precondition.js';
import { type Decided, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';
import { groundOf, guardsOf, type NamedWish, wishOf } from './ground-of.js';

/** Gives a host's function to a VM's device and decides what the guest sees of it. */
export class AttachDevice extends Command<CommandOutcome<DeviceState>> {
  constructor(
    readonly identity: RequestIdentity, readonly key: DeviceKey, readonly functionKey: FunctionKey,
    readonly wish: NamedWish, readonly hotPlugOrder: number | null, readonly precondition: Precondition,
  ) {
    super();
  }
}

@CommandHandler(AttachDevice)
export class AttachDeviceHandler implements ICommandHandler<AttachDevice> {
  constructor(
    private readonly recorder: Recorder, private readonly reader: StreamReader,
    private readonly evidence: ModelEvidence,
  ) {}

  execute(command: AttachDevice): Promise<CommandOutcome<DeviceState>> {
    return this.recorder.record(command.identity, {
      stream: functionStream(command.functionKey),
      decide: () => this.decide(command),
      stateAt: async (revision) => (await this.reader.device(command.key, revision)).state,
    });
  }

  /** Reads both streams, decides on both, and hands both changes over as one: nobody else can own the function. */
  private async decide(command: AttachDevice): Promise<Decided<DeviceState>> {
    const { key, functionKey, hotPlugOrder, precondition } = command;
    const [device, owned, vm] = await Promise.all([
      this.reader.device(key), this.reader.function(functionKey), this.reader.vm(key.vm)]);
    const stream = deviceStream(key);
    const stale = unmet(precondition, stream, device.revision) ?? missing(precondition, stream, device.revision);
    if (stale) return { kind: 'refused', refusal: stale };
    if (owned.state.kind === 'unregistered') {
      return { kind: 'refused', refusal: { kind: 'function-not-registered', ...functionKey } };
    }
    const claim = { kind: 'claim-function', key: functionKey, by: key, migration: null } as const;
    const claimed = functionDecider.decide(claim, owned.state);
    if (!claimed.ok && device.state.kind !== 'attached') return { kind: 'refused', refusal: claimed.refusal };
    const wish = await wishOf(command.wish, this.reader);
    if (!wish) return { kind: 'refused', refusal: { kind: 'persona-unknown', ...unknownOf(command.wish) } };
    const ground = await groundOf(owned.state, this.reader, this.evidence);
    const attached = deviceDecider.decide({ kind: 'attach-device', key, ground, wish, hotPlugOrder }, device.state);
    if (!attached.ok) return { kind: 'refused', refusal: attached.refusal };
    const free = vmDecider.decide({ kind: 'change-devices', vm: key.vm }, vm.state);
    if (!free.ok) return { kind: 'refused', refusal: free.refusal };
    if (!claimed.ok) return { kind: 'refused', refusal: claimed.refusal };
    return {
      kind: 'decided',
      changes: [
        { stream, expectedRevision: device.revision, events: attached.value },
        { stream: functionStream(functionKey), expectedRevision: owned.revision, events: claimed.value },
      ],
      standsOn: [{ stream: vmStream(key.vm), expectedRevision: vm.revision }, ...guardsOf(ground)],
      after: (recorded) => fold(deviceDecider, recorded.filter(isDeviceEvent), device.state),
    };
  }
}

/** The persona nobody published. */
export function unknownOf({ persona }: NamedWish): { readonly name: string; readonly version: number | null } {
  return { name: persona?.name ?? '', version: persona?.version ?? null };
}
