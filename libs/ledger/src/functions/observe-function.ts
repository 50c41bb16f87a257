import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type VerdictReason } from '@cadastre/device-layout';
import {
  type ChangedRange, changedRanges, type DecidedLayout, fold, functionDecider, type FunctionEvent, type FunctionKey,
  type FunctionState, functionStream, type Holder, isFunctionEvent, layoutDangers, type Observation,
  type RegisteredFunction,
} from '@cadastre/lifecycle';
import { DamagedHistory } from '../damaged-history.js';
import { type CommandOutcome, type Precondition } from '../outcome.js';
import { unmet } from '../precondition.js';
import { type Decided, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';

/** What a look at a function came to. */
export interface Look {
  readonly state: RegisteredFunction;
  readonly recorded: 'registered' | 'observed' | 'confirmed';
  /** What the newest observation says otherwise than the one before; null unless one was `observed`. */
  readonly change: ObservationChange | null;
}

export interface ObservationChange {
  readonly ranges: readonly ChangedRange[];
  /** The device that ran on the function then, and every promise to its guest that is broken; null without a device. */
  readonly running: (Holder & { readonly dangers: readonly VerdictReason[] }) | null;
}

/** Records what a host saw of one function; the first look registers it. */
export class ObserveFunction extends Command<CommandOutcome<Look>> {
  constructor(
    readonly identity: RequestIdentity, readonly key: FunctionKey, readonly observation: Observation,
    readonly precondition: Precondition,
  ) {
    super();
  }
}

@CommandHandler(ObserveFunction)
export class ObserveFunctionHandler implements ICommandHandler<ObserveFunction> {
  constructor(private readonly recorder: Recorder, private readonly reader: StreamReader) {}

  execute(command: ObserveFunction): Promise<CommandOutcome<Look>> {
    const stream = functionStream(command.key);
    return this.recorder.record(command.identity, {
      stream,
      decide: () => this.decide(command),
      stateAt: async (revision) => {
        const before = await this.reader.function(command.key, revision - 1);
        const event = await this.reader.event({ stream, revision });
        if (!isFunctionEvent(event)) throw new DamagedHistory(stream, `revision ${revision} holds ${event.type}`);
        const holder = event.type === 'FunctionObserved' ? event.holder : null;
        return lookOf(before.state, event, await this.runningOn(holder));
      },
    });
  }

  private async decide({ key, observation, precondition }: ObserveFunction): Promise<Decided<Look>> {
    const { state, revision } = await this.reader.function(key);
    const stream = functionStream(key);
    const refusal = unmet(precondition, stream, revision);
    if (refusal) return { kind: 'refused', refusal };
    const holder = await this.holderOf(state);
    const running = await this.runningOn(holder);
    const decision = functionDecider.decide({ kind: 'observe-function', key, observation, holder }, state);
    if (!decision.ok) return { kind: 'refused', refusal: decision.refusal };
    return {
      kind: 'decided',
      changes: [{ stream, expectedRevision: revision, events: decision.value }],
      after(recorded) {
        const events = recorded.filter(isFunctionEvent);
        const last = events.pop();
        if (!last) throw new Error(`a look at ${stream} recorded nothing`);
        return lookOf(fold(functionDecider, events, state), last, running);
      },
    };
  }

  /** A device that claimed the function for a move runs on another one still. One that just let go of it is nobody. */
  private async holderOf(state: FunctionState): Promise<Holder | null> {
    if (state.kind === 'unregistered' || !state.claim) return null;
    const { state: device } = await this.reader.device(state.claim);
    const holds = device.kind === 'attached' && functionStream(device.function) === functionStream(state.key);
    return holds ? { ...state.claim, revision: device.revision } : null;
  }

  /** What the guest of a holder ran on, at the revision that was recorded: a retry is answered as the first time. */
  private async runningOn(holder: Holder | null): Promise<Running | null> {
    if (!holder) return null;
    const { state: device } = await this.reader.device(holder, holder.revision);
    if (device.kind !== 'attached' || !device.layout) return null;
    return { holder, layout: device.layout, stoodOn: await this.reader.observation(device.layout.observation) };
  }
}

interface Running {
  readonly holder: Holder;
  readonly layout: DecidedLayout;
  readonly stoodOn: Observation;
}

/** What the newest event of a function came to. */
function lookOf(before: FunctionState, event: FunctionEvent, running: Running | null): Look {
  const state = functionDecider.evolve(before, event);
  if (state.kind === 'unregistered') throw new Error(`${event.type} did not register its function`);
  if (event.type !== 'FunctionObserved') return { state, recorded: 'confirmed', change: null };
  const previous = before.kind === 'registered' ? before.observation : null;
  if (!previous) return { state, recorded: 'registered', change: null };
  return {
    state, recorded: 'observed',
    change: {
      ranges: changedRanges(previous.facts, event),
      running: running && { ...running.holder, dangers: layoutDangers(running.layout, running.stoodOn, event) },
    },
  };
}
