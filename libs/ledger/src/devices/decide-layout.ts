import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  deviceDecider, type DeviceKey, type DeviceState, deviceStream, fold, isDeviceEvent, notAttached,
} from '@cadastre/lifecycle';
import { ModelEvidence } from '../functions/model-evidence.js';
import { type CommandOutcome, type Precondition } from '../outcome.js';
import { missing, unmet } from '../precondition.js';
import { type Decided, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';
import { unknownOf } from './attach-device.js';
import { groundOf, guardsOf, type NamedWish, wishOf } from './ground-of.js';

/** Decides the layout of an attached device again, over the newest observation, before any guest has seen it. */
export class DecideLayout extends Command<CommandOutcome<DeviceState>> {
  constructor(
    readonly identity: RequestIdentity, readonly key: DeviceKey, readonly wish: NamedWish,
    readonly precondition: Precondition,
  ) {
    super();
  }
}

@CommandHandler(DecideLayout)
export class DecideLayoutHandler implements ICommandHandler<DecideLayout> {
  constructor(
    private readonly recorder: Recorder, private readonly reader: StreamReader,
    private readonly evidence: ModelEvidence,
  ) {}

  execute(command: DecideLayout): Promise<CommandOutcome<DeviceState>> {
    return this.recorder.record(command.identity, {
      stream: deviceStream(command.key),
      decide: () => this.decide(command),
      stateAt: async (revision) => (await this.reader.device(command.key, revision)).state,
    });
  }

  private async decide(command: DecideLayout): Promise<Decided<DeviceState>> {
    const { key, precondition } = command;
    const { state, revision } = await this.reader.device(key);
    const stream = deviceStream(key);
    if (state.kind === 'unknown') return { kind: 'refused', refusal: { kind: 'device-unknown', ...key } };
    const stale = unmet(precondition, stream, revision) ?? missing(precondition, stream, revision);
    if (stale) return { kind: 'refused', refusal: stale };
    if (state.kind !== 'attached') return { kind: 'refused', refusal: notAttached(key, state) };
    const owned = await this.reader.function(state.function);
    if (owned.state.kind === 'unregistered') throw new Error(`${stream} is attached to what was never registered`);
    const wish = await wishOf(command.wish, this.reader);
    if (!wish) return { kind: 'refused', refusal: { kind: 'persona-unknown', ...unknownOf(command.wish) } };
    const ground = await groundOf(owned.state, this.reader, this.evidence);
    const decided = deviceDecider.decide({ kind: 'decide-layout', key, ground, wish }, state);
    if (!decided.ok) return { kind: 'refused', refusal: decided.refusal };
    return {
      kind: 'decided',
      changes: [{ stream, expectedRevision: revision, events: decided.value }],
      standsOn: guardsOf(ground),
      after: (recorded) => fold(deviceDecider, recorded.filter(isDeviceEvent), state),
    };
  }
}
