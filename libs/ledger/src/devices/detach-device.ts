import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  deviceDecider, type DeviceKey, type DeviceState, deviceStream, familyCommands, fold, isDeviceEvent,
  vmDecider, vmStream,
} from '@cadastre/lifecycle';
import { functionChanges } from '../functions/function-changes.js';
import { type CommandOutcome, type Precondition } from '../outcome.js';
import { missing, unmet } from '../precondition.js';
import { type Decided, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';

/** Takes a device from its VM, with all its PASIDs, and gives the function free. */
export class DetachDevice extends Command<CommandOutcome<DeviceState>> {
  constructor(
    readonly identity: RequestIdentity, readonly key: DeviceKey, readonly reason: string | null,
    readonly precondition: Precondition,
  ) {
    super();
  }
}

@CommandHandler(DetachDevice)
export class DetachDeviceHandler implements ICommandHandler<DetachDevice> {
  constructor(private readonly recorder: Recorder, private readonly reader: StreamReader) {}

  execute(command: DetachDevice): Promise<CommandOutcome<DeviceState>> {
    return this.recorder.record(command.identity, {
      stream: deviceStream(command.key),
      decide: () => this.decide(command),
      stateAt: async (revision) => (await this.reader.device(command.key, revision)).state,
    });
  }

  private async decide({ key, reason, precondition }: DetachDevice): Promise<Decided<DeviceState>> {
    const [device, vm] = await Promise.all([this.reader.device(key), this.reader.vm(key.vm)]);
    const stream = deviceStream(key);
    if (device.state.kind === 'unknown') return { kind: 'refused', refusal: { kind: 'device-unknown', ...key } };
    const stale = unmet(precondition, stream, device.revision) ?? missing(precondition, stream, device.revision);
    if (stale) return { kind: 'refused', refusal: stale };
    const detached = deviceDecider.decide({ kind: 'detach-device', key, reason }, device.state);
    if (!detached.ok) return { kind: 'refused', refusal: detached.refusal };
    const free = vmDecider.decide({ kind: 'change-devices', vm: key.vm }, vm.state);
    if (!free.ok) return { kind: 'refused', refusal: free.refusal };
    if (device.state.kind !== 'attached') throw new Error(`${stream} was detached while it was not attached`);
    const functionKey = device.state.function;
    const after = fold(deviceDecider, detached.value, device.state);
    const functions = await functionChanges(this.reader, [
      { kind: 'release-function', key: functionKey, by: key }, ...familyCommands(key, device.state, after),
    ]);
    if (!functions.ok) return { kind: 'refused', refusal: functions.refusal };
    return {
      kind: 'decided',
      changes: [{ stream, expectedRevision: device.revision, events: detached.value }, ...functions.value],
      standsOn: [{ stream: vmStream(key.vm), expectedRevision: vm.revision }],
      after: (recorded) => fold(deviceDecider, recorded.filter(isDeviceEvent), device.state),
    };
  }
}
