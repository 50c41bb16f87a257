import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Position } from '@cadastre/event-store';
import { type FunctionKey, type RegisteredFunction } from '@cadastre/lifecycle';
import {
  dangersDigest, type FunctionRow, modelledBy, modelOf, type ObservedFunction, observedFunction, Views,
} from '@cadastre/views';
import { asOf, StreamReader } from '../stream-reader.js';
import { answered, type ListOutcome } from './list-outcome.js';

/** A page of all functions as of a position, in order of their streams, behind the stream `after`. */
export class ListFunctionsAt extends Query<ListOutcome<FunctionRow>> {
  constructor(readonly at: Position, readonly after: string, readonly limit: number) {
    super();
  }
}

type Told = Pick<RegisteredFunction, 'revision' | 'claim' | 'running' | 'retired'>
  & { readonly seen: ObservedFunction };

/** The view knows which functions there were; what they were is folded, a page at a time and not the log. */
@QueryHandler(ListFunctionsAt)
export class ListFunctionsAtHandler implements IQueryHandler<ListFunctionsAt> {
  constructor(private readonly views: Views, private readonly reader: StreamReader) {}

  async execute({ at, after, limit }: ListFunctionsAt): Promise<ListOutcome<FunctionRow>> {
    const listed = await answered(this.views.functions({ at }, after, limit));
    if (listed.kind === 'refused') return listed;
    const rows: FunctionRow[] = [];
    for (const { key, since } of listed.rows) {
      // Registered again, it has the row it had before until it is observed again.
      const told = await this.told(key, at) ?? await this.told(key, Position.from(at - 1));
      if (!told) throw new Error(`the row of ${key.host}/${key.address} begins at ${since}, its observations later`);
      const { seen, revision, claim, running, retired } = told;
      const pf = modelledBy(key, seen);
      const model = modelOf(seen, pf && (await this.told(pf, at))?.seen);
      const dangers = dangersDigest(running?.dangers ?? []);
      rows.push({ key, revision, since, ...seen, model, claim, dangers, isRetired: retired !== null });
    }
    return { ...listed, rows };
  }

  private async told(key: FunctionKey, at: Position): Promise<Told | undefined> {
    const { state } = await this.reader.function(key, asOf(at));
    if (state.kind === 'unregistered' || !state.observation) return undefined;
    const { revision, claim, running, retired, observation: { facts } } = state;
    return { revision, claim, running, retired, seen: observedFunction(facts) };
  }
}
