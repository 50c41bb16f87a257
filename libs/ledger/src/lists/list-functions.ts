import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { functionStream } from '@cadastre/lifecycle';
import { type FunctionFilter, filterFits, type FunctionRow, Views } from '@cadastre/views';
import { StreamReader } from '../stream-reader.js';
import { answered, type ListOutcome, scanned } from './list-outcome.js';
import { functionThen } from './rows-then.js';

/** A page of the functions that fit a filter, now or as of a position, by their streams, behind `after`. */
export class ListFunctions extends Query<ListOutcome<FunctionRow>> {
  constructor(
    readonly filter: FunctionFilter, readonly after: string, readonly limit: number,
    readonly at: Position | null = null,
  ) {
    super();
  }
}

/** The view has the rows of the present; what they were is folded, a page at a time and not the log. */
@QueryHandler(ListFunctions)
export class ListFunctionsHandler implements IQueryHandler<ListFunctions> {
  constructor(private readonly views: Views, private readonly reader: StreamReader) {}

  execute({ filter, after, limit, at }: ListFunctions): Promise<ListOutcome<FunctionRow>> {
    const nameOf = ({ key }: FunctionRow): string => functionStream(key);
    if (at === null) return answered(this.views.functions(filter, after, limit), nameOf);
    const { host } = filter;
    const there = { at, ...(host === undefined ? {} : { host }) };
    const list = (behind: string, most: number): Promise<ListOutcome<FunctionRow>> =>
      answered(this.views.functions(there, behind, most), nameOf);
    return scanned(list, nameOf, async (present) => {
      const row = await functionThen(present, at, this.reader);
      return row && filterFits.function(row, filter) ? row : undefined;
    }, after, limit);
  }
}
