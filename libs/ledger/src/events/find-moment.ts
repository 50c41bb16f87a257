import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Moment } from '../moment.js';
import { type FoundMoment, Timeline } from '../timeline.js';

/** The position a moment of the log is at. */
export class FindMoment extends Query<FoundMoment> {
  constructor(readonly moment: Moment) {
    super();
  }
}

@QueryHandler(FindMoment)
export class FindMomentHandler implements IQueryHandler<FindMoment> {
  constructor(private readonly timeline: Timeline) {}

  execute({ moment }: FindMoment): Promise<FoundMoment> {
    return this.timeline.find(moment);
  }
}
