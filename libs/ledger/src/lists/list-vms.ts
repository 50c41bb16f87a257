import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type VmRow, Views } from '@cadastre/views';
import { answered, type ListOutcome } from './list-outcome.js';

/** A page of all VMs that have or had devices, in order of their names, behind the name `after`. */
export class ListVms extends Query<ListOutcome<VmRow>> {
  constructor(readonly after: string, readonly limit: number) {
    super();
  }
}

@QueryHandler(ListVms)
export class ListVmsHandler implements IQueryHandler<ListVms> {
  constructor(private readonly views: Views) {}

  execute({ after, limit }: ListVms): Promise<ListOutcome<VmRow>> {
    return answered(this.views.vms(after, limit));
  }
}
