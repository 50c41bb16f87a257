import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { type FunctionKey, functionStream, type RegisteredFunction } from '@cadastre/lifecycle';
import { absent } from '../absent.js';
import { type QueryOutcome } from '../outcome.js';
import { asOf, StreamReader } from '../stream-reader.js';

/** One function as its stream tells it, now or as of a position. */
export class GetFunction extends Query<QueryOutcome<RegisteredFunction>> {
  constructor(readonly key: FunctionKey, readonly at: Position | null = null) {
    super();
  }
}

@QueryHandler(GetFunction)
export class GetFunctionHandler implements IQueryHandler<GetFunction> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key, at }: GetFunction): Promise<QueryOutcome<RegisteredFunction>> {
    const { state } = await this.reader.function(key, asOf(at));
    if (state.kind === 'unregistered') {
      return absent(this.reader, functionStream(key), at, { kind: 'function-unknown', ...key });
    }
    return { kind: 'found', view: state, revision: state.revision };
  }
}
