import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type EventStore, type LogPage, type Position } from '@cadastre/event-store';
import { EVENT_STORE } from '../event-store.token.js';

/** A page of the log in its one order, as it was written. */
export class ReadEvents extends Query<LogPage> {
  constructor(readonly after: Position | 'start', readonly limit: number) {
    super();
  }
}

@QueryHandler(ReadEvents)
export class ReadEventsHandler implements IQueryHandler<ReadEvents> {
  constructor(@Inject(EVENT_STORE) private readonly store: EventStore) {}

  execute({ after, limit }: ReadEvents): Promise<LogPage> {
    return this.store.readAll({ after, limit });
  }
}
