import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  fold, functionDecider, type FunctionKey, type FunctionState, functionStream, isFunctionEvent,
} from '@cadastre/lifecycle';
import { type CommandOutcome, type Precondition } from '../outcome.js';
import { missing, unmet } from '../precondition.js';
import { type Decided, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';

/** Takes a function out of service: nobody can claim it until it is observed again. */
export class RetireFunction extends Command<CommandOutcome<FunctionState>> {
  constructor(
    readonly identity: RequestIdentity, readonly key: FunctionKey, readonly reason: string | null,
    readonly precondition: Precondition,
  ) {
    super();
  }
}

@CommandHandler(RetireFunction)
export class RetireFunctionHandler implements ICommandHandler<RetireFunction> {
  constructor(private readonly recorder: Recorder, private readonly reader: StreamReader) {}

  execute(command: RetireFunction): Promise<CommandOutcome<FunctionState>> {
    return this.recorder.record(command.identity, {
      stream: functionStream(command.key),
      decide: () => this.decide(command),
      stateAt: async (revision) => (await this.reader.function(command.key, revision)).state,
    });
  }

  private async decide({ key, reason, precondition }: RetireFunction): Promise<Decided<FunctionState>> {
    const { state, revision } = await this.reader.function(key);
    const stream = functionStream(key);
    if (state.kind === 'unregistered') return { kind: 'refused', refusal: { kind: 'function-unknown', ...key } };
    const stale = unmet(precondition, stream, revision) ?? missing(precondition, stream, revision);
    if (stale) return { kind: 'refused', refusal: stale };
    const retired = functionDecider.decide({ kind: 'retire-function', key, reason }, state);
    if (!retired.ok) return { kind: 'refused', refusal: retired.refusal };
    return {
      kind: 'decided',
      changes: [{ stream, expectedRevision: revision, events: retired.value }],
      after: (recorded) => fold(functionDecider, recorded.filter(isFunctionEvent), state),
    };
  }
}
