import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type ChangedRange, changedRanges, deviceStream, fold, functionDecider, type FunctionEvent, type FunctionKey,
  type FunctionState, functionStream, isFunctionEvent, type Observation, type RegisteredFunction, type RunningGuest,
} from '@cadastre/lifecycle';
import { DamagedHistory } from '../damaged-history.js';
import { type CommandOutcome, type Precondition } from '../outcome.js';
import { unmet } from '../precondition.js';
import { type Decided, type Guard, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';

/** What a look at a function came to. */
export interface Look {
  readonly state: RegisteredFunction;
  readonly recorded: 'registered' | 'observed' | 'host-facts-observed' | 'confirmed';
  /** The bytes that read otherwise than before; null unless new ones were `observed`. */
  readonly changed: readonly ChangedRange[] | null;
}

/** The guest on a function, and the streams that told of it. */
interface Watched {
  readonly running: RunningGuest | null;
  readonly standsOn: readonly Guard[];
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
        return lookOf(before.state, event);
      },
    });
  }

  private async decide({ key, observation, precondition }: ObserveFunction): Promise<Decided<Look>> {
    const { state, revision } = await this.reader.function(key);
    const stream = functionStream(key);
    const refusal = unmet(precondition, stream, revision);
    if (refusal) return { kind: 'refused', refusal };
    const { running, standsOn } = await this.runningOn(state, observation);
    const decision = functionDecider.decide({ kind: 'observe-function', key, observation, running }, state);
    if (!decision.ok) return { kind: 'refused', refusal: decision.refusal };
    return {
      kind: 'decided',
      changes: [{ stream, expectedRevision: revision, events: decision.value }],
      standsOn,
      after(recorded) {
        const events = recorded.filter(isFunctionEvent);
        const last = events.pop();
        if (!last) throw new Error(`a look at ${stream} recorded nothing`);
        return lookOf(fold(functionDecider, events, state), last);
      },
    };
  }

  /** A device that claimed the function for a move runs on another one still. One that just let go of it is nobody. */
  private async runningOn(state: FunctionState, seen: Observation): Promise<Watched> {
    if (state.kind === 'unregistered' || !state.claim) return { running: null, standsOn: [] };
    const { state: device, revision: expectedRevision } = await this.reader.device(state.claim);
    const standsOn = [{ stream: deviceStream(state.claim), expectedRevision }];
    const holds = device.kind === 'attached' && functionStream(device.function) === functionStream(state.key);
    if (!holds || !device.layout) return { running: null, standsOn };
    const { layout, revision } = device;
    const stoodOn = await this.reader.observation(layout.observation);
    const { family, guards } = await this.familyOf(state.key, layout, seen.sriov.pf ?? stoodOn.sriov.pf);
    return {
      running: { holder: { ...state.claim, revision }, layout, stoodOn, family }, standsOn: [...standsOn, ...guards],
    };
  }

  /** What the layout took from a PF is read again only where the PF was observed since. */
  private async familyOf(
    { host, address }: FunctionKey, { physicalFunction }: RunningGuest['layout'], pf: FunctionKey['address'] | null,
  ): Promise<Pick<RunningGuest, 'family'> & { readonly guards: readonly Guard[] }> {
    // Some name themselves.
    if (!physicalFunction || pf === null || pf === address) return { family: null, guards: [] };
    const key = { host, address: pf };
    const stream = functionStream(key);
    const { state, revision: expectedRevision } = await this.reader.function(key);
    const guards = [{ stream, expectedRevision }];
    const newest = state.kind === 'registered' ? state.observation : null;
    const isAsTaken = stream === physicalFunction.stream && newest?.revision === physicalFunction.revision;
    if (!newest || isAsTaken) return { family: null, guards };
    return { family: { then: await this.reader.observation(physicalFunction), now: newest.facts }, guards };
  }
}

/** What the newest event of a function came to. */
function lookOf(before: FunctionState, event: FunctionEvent): Look {
  const state = functionDecider.evolve(before, event);
  if (state.kind === 'unregistered') throw new Error(`${event.type} did not register its function`);
  if (event.type === 'HostFactsObserved') return { state, recorded: 'host-facts-observed', changed: null };
  if (event.type !== 'FunctionObserved') return { state, recorded: 'confirmed', changed: null };
  const previous = before.kind === 'registered' ? before.observation : null;
  if (!previous) return { state, recorded: 'registered', changed: null };
  return { state, recorded: 'observed', changed: changedRanges(previous.facts, event) };
}
