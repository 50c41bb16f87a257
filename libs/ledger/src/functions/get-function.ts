import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type FunctionKey, type RegisteredFunction } from '@cadastre/lifecycle';
import { type QueryOutcome } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';

/** One function as its stream tells it. */
export class GetFunction extends Query<QueryOutcome<RegisteredFunction>> {
  constructor(readonly key: FunctionKey) {
    super();
  }
}

@QueryHandler(GetFunction)
export class GetFunctionHandler implements IQueryHandler<GetFunction> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key }: GetFunction): Promise<QueryOutcome<RegisteredFunction>> {
    const { state } = await this.reader.function(key);
    if (state.kind === 'unregistered') return { kind: 'refused', refusal: { kind: 'function-unknown', ...key } };
    return { kind: 'found', view: state, revision: state.revision };
  }
}
