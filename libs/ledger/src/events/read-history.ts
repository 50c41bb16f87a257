import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  type EventStore, type Position, type StreamName, type StreamPage, StreamRevision,
} from '@cadastre/event-store';
import { EVENT_STORE } from '../event-store.token.js';

/** A page of one stream, oldest event first, behind revision `after`; as of a position, what was recorded by then. */
export class ReadHistory extends Query<StreamPage> {
  constructor(
    readonly stream: StreamName, readonly after: number | undefined, readonly limit: number,
    readonly at: Position | null,
  ) {
    super();
  }
}

@QueryHandler(ReadHistory)
export class ReadHistoryHandler implements IQueryHandler<ReadHistory> {
  constructor(@Inject(EVENT_STORE) private readonly store: EventStore) {}

  async execute({ stream, after, limit, at }: ReadHistory): Promise<StreamPage> {
    const page = await this.store.readStream(stream, { from: StreamRevision.from((after ?? -1) + 1), limit });
    const events = page.events.filter(({ position }) => at === null || position <= at);
    return { ...page, events, endOfStream: page.endOfStream || events.length < page.events.length };
  }
}
