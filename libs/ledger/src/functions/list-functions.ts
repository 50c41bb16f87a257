import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { FunctionIndex, type FunctionRow } from './function-index.js';

export interface FunctionPage {
  readonly rows: readonly FunctionRow[];
  readonly more: boolean;
}

/** A page of all functions, in order of their stream keys. */
export class ListFunctions extends Query<FunctionPage> {
  constructor(readonly after: string, readonly limit: number) {
    super();
  }
}

@QueryHandler(ListFunctions)
export class ListFunctionsHandler implements IQueryHandler<ListFunctions> {
  constructor(private readonly index: FunctionIndex) {}

  execute({ after, limit }: ListFunctions): Promise<FunctionPage> {
    return this.index.page(after, limit);
  }
}
