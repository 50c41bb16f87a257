import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type ConfigSpace } from '@cadastre/config-space';
import {
  deviceDecider, type DeviceKey, type DeviceState, deviceStream, fold, isDeviceEvent, notAttached,
} from '@cadastre/lifecycle';
import { type CommandOutcome, type Precondition } from '../outcome.js';
import { unmet } from '../precondition.js';
import { type Decided, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';

/** Records whether a guest reads what was decided. */
export class ObserveGuest extends Command<CommandOutcome<DeviceState>> {
  constructor(
    readonly identity: RequestIdentity, readonly key: DeviceKey, readonly seen: ConfigSpace,
    readonly precondition: Precondition,
  ) {
    super();
  }
}

@CommandHandler(ObserveGuest)
export class ObserveGuestHandler implements ICommandHandler<ObserveGuest> {
  constructor(private readonly recorder: Recorder, private readonly reader: StreamReader) {}

  execute(command: ObserveGuest): Promise<CommandOutcome<DeviceState>> {
    return this.recorder.record(command.identity, {
      stream: deviceStream(command.key),
      decide: () => this.decide(command),
      stateAt: async (revision) => (await this.reader.device(command.key, revision)).state,
    });
  }

  /** A look changes nothing that somebody else could have decided, so it needs no precondition. */
  private async decide({ key, seen, precondition }: ObserveGuest): Promise<Decided<DeviceState>> {
    const { state, revision } = await this.reader.device(key);
    const stream = deviceStream(key);
    if (state.kind === 'unknown') return { kind: 'refused', refusal: { kind: 'device-unknown', ...key } };
    const stale = unmet(precondition, stream, revision);
    if (stale) return { kind: 'refused', refusal: stale };
    if (state.kind !== 'attached' || !state.layout) {
      return { kind: 'refused', refusal: notAttached(key, state) };
    }
    const observed = await this.reader.observation(state.layout.observation);
    const judged = deviceDecider.decide({ kind: 'observe-guest', key, observed, seen }, state);
    if (!judged.ok) return { kind: 'refused', refusal: judged.refusal };
    return {
      kind: 'decided',
      changes: [{ stream, expectedRevision: revision, events: judged.value }],
      after: (recorded) => fold(deviceDecider, recorded.filter(isDeviceEvent), state),
    };
  }
}
