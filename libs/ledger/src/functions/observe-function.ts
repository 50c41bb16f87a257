import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  fold, functionDecider, type FunctionKey, type FunctionState, functionStream, isFunctionEvent,
  type Observation,
} from '@cadastre/lifecycle';
import { type CommandOutcome, type Precondition } from '../outcome.js';
import { unmet } from '../precondition.js';
import { type Decided, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';

/** Records what a host saw of one function; the first look registers it. */
export class ObserveFunction extends Command<CommandOutcome<FunctionState>> {
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

  execute(command: ObserveFunction): Promise<CommandOutcome<FunctionState>> {
    return this.recorder.record(command.identity, {
      stream: functionStream(command.key),
      decide: () => this.decide(command),
      stateAt: async (revision) => (await this.reader.function(command.key, revision)).state,
    });
  }

  private async decide({ key, observation, precondition }: ObserveFunction): Promise<Decided<FunctionState>> {
    const { state, revision } = await this.reader.function(key);
    const stream = functionStream(key);
    const refusal = unmet(precondition, stream, revision);
    if (refusal) return { kind: 'refused', refusal };
    const decision = functionDecider.decide({ kind: 'observe-function', key, observation }, state);
    if (!decision.ok) return { kind: 'refused', refusal: decision.refusal };
    return {
      kind: 'decided',
      changes: [{ stream, expectedRevision: revision, events: decision.value }],
      after: (recorded) => fold(functionDecider, recorded.filter(isFunctionEvent), state),
    };
  }
}
