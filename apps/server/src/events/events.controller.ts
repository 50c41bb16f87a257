import { Controller, Get, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { Position, type RecordedEvent } from '@cadastre/event-store';
import { ReadEvents } from '@cadastre/ledger';
import { decodeEvent } from '@cadastre/lifecycle';
import { type FastifyReply } from 'fastify';
import { Page } from '../http/page.js';
import { QueryParameters } from '../http/query-parameters.js';

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
    const behind = page.afterNumber('a position: a whole number from 0');
    const after = behind === undefined ? 'start' : Position.from(behind);
    const { events, head } = await this.queries.execute(new ReadEvents(after, page.limit));
    const last = events.at(-1)?.position;
    const next = last !== undefined && last !== head ? last : null;
    if (next !== null) void reply.header('link', `</v1/events?after=${next}&limit=${page.limit}>; rel="next"`);
    return { events: events.map(eventView), next, head: head === 'empty' ? null : head };
  }
}

function eventView({ position, stream, revision, id, sha256, data }: RecordedEvent): object {
  const { event: { type, schema, ...facts }, envelope } = decodeEvent(data);
  return { position, stream, revision, id, type, schema, sha256, ...envelope, data: facts };
}
