import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type ClashFilter, type ListedClash, Views } from '@cadastre/views';
import { answered, type ListOutcome } from './list-outcome.js';

/** A page of the clashes that fit a filter, oldest first, behind the one with the number `after`. */
export class ListClashes extends Query<ListOutcome<ListedClash>> {
  constructor(readonly filter: ClashFilter, readonly after: number, readonly limit: number) {
    super();
  }
}

@QueryHandler(ListClashes)
export class ListClashesHandler implements IQueryHandler<ListClashes> {
  constructor(private readonly views: Views) {}

  execute({ filter, after, limit }: ListClashes): Promise<ListOutcome<ListedClash>> {
    return answered(this.views.clashes(filter, after, limit), ({ id }) => String(id));
  }
}
