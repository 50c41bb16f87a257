import { Controller, Get, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { Position } from '@cadastre/event-store';
import { ReadEvents } from '@cadastre/ledger';
import { type FastifyReply } from 'fastify';
import { Page } from '../http/page.js';
import { QueryParameters } from '../http/query-parameters.js';
import { eventView } from './event-view.js';

@Controller('v1/events')
export class EventsController {
  constructor(private readonly queries: QueryBus) {}

  /** The log in its one order. `after` is the position of the last event seen. */
  @Get()
  @QueryParameters('after', 'limit')
  async read(
    @Query() query: Record<string, unknown>, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const page = Page.from(query);
    const behind = page.afterNumber('a position');
    const after = behind === undefined ? 'start' : Position.from(behind);
    const { events, head } = await this.queries.execute(new ReadEvents(after, page.limit));
    const last = events.at(-1)?.position;
    const next = last !== undefined && last !== head ? last : null;
    if (next !== null) void reply.header('link', Page.link('/v1/events', { after: next, limit: page.limit }));
    return { events: events.map(eventView), next, head: head === 'empty' ? null : head };
  }
}
