import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type FunctionFilter, type FunctionRow, Views } from '@cadastre/views';
import { answered, type ListOutcome } from './list-outcome.js';

/** A page of the functions that fit a filter, in order of their streams, behind the stream `after`. */
export class ListFunctions extends Query<ListOutcome<FunctionRow>> {
  constructor(readonly filter: FunctionFilter, readonly after: string, readonly limit: number) {
    super();
  }
}

@QueryHandler(ListFunctions)
export class ListFunctionsHandler implements IQueryHandler<ListFunctions> {
  constructor(private readonly views: Views) {}

  execute({ filter, after, limit }: ListFunctions): Promise<ListOutcome<FunctionRow>> {
    return answered(this.views.functions(filter, after, limit));
  }
}
