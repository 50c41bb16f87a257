import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { asOf, StreamReader } from '../stream-reader.js';
import { FunctionIndex, functionRow, type FunctionRow } from './function-index.js';

export interface FunctionPage {
  readonly rows: readonly FunctionRow[];
  readonly more: boolean;
}

/** A page of all functions, in order of their stream keys, now or as of a position. */
export class ListFunctions extends Query<FunctionPage> {
  constructor(readonly after: string, readonly limit: number, readonly at: Position | null = null) {
    super();
  }
}

@QueryHandler(ListFunctions)
export class ListFunctionsHandler implements IQueryHandler<ListFunctions> {
  constructor(private readonly index: FunctionIndex, private readonly reader: StreamReader) {}

  async execute({ after, limit, at }: ListFunctions): Promise<FunctionPage> {
    if (at === null) return this.index.page(after, limit);
    // The streams of one page are folded to the position, not the log: what a page costs is bounded by its size.
    const { keys, more } = await this.index.keysAt(at, after, limit);
    const rows: FunctionRow[] = [];
    for (const key of keys) {
      const { state } = await this.reader.function(key, asOf(at));
      if (state.kind === 'registered' && state.observation) rows.push(functionRow(state, state.observation.facts));
    }
    return { rows, more };
  }
}
