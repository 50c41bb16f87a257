import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type Position, StreamName } from '@cadastre/event-store';
import { GetDevice, GetFunction, ReadHistory } from '@cadastre/ledger';
import { deviceStream, functionStream } from '@cadastre/lifecycle';
import { type FastifyReply } from 'fastify';
import { asOf } from '../http/as-of.js';
import { Page } from '../http/page.js';
import { parse } from '../http/parse-name.js';
import { entityTag } from '../http/precondition-header.js';
import { QueryParameters } from '../http/query-parameters.js';
import { found } from '../problems/refused.js';
import { eventView } from './event-view.js';

type AnyQuery = Record<string, unknown>;

/** What happened to one function or device, oldest event first. `after` is the revision of the last event seen. */
@Controller('v1')
export class HistoryController {
  constructor(private readonly queries: QueryBus) {}

  @Get('vms/:vm/devices/:device/history')
  @QueryParameters('at', 'after', 'limit')
  async ofDevice(
    @Param('vm') vm: string, @Param('device') device: string, @Query() query: AnyQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = { vm: parse.vm(vm), device: parse.device(device) };
    const at = await asOf(query['at'], this.queries, reply);
    const { revision } = found(await this.queries.execute(new GetDevice(key, at)));
    void reply.header('etag', entityTag(revision));
    return this.read(deviceStream(key), `/v1/vms/${vm}/devices/${device}/history`, Page.from(query), at, reply);
  }

  @Get('functions/:host/:address/history')
  @QueryParameters('at', 'after', 'limit')
  async ofFunction(
    @Param('host') host: string, @Param('address') address: string, @Query() query: AnyQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = { host: parse.host(host), address: parse.address(address) };
    const at = await asOf(query['at'], this.queries, reply);
    const { revision } = found(await this.queries.execute(new GetFunction(key, at)));
    void reply.header('etag', entityTag(revision));
    return this.read(functionStream(key), `/v1/functions/${host}/${address}/history`, Page.from(query), at, reply);
  }

  private async read(
    stream: string, path: string, page: Page, at: Position | null, reply: FastifyReply,
  ): Promise<object> {
    const query = new ReadHistory(StreamName.from(stream), page.afterNumber('a revision'), page.limit, at);
    const { events, endOfStream } = await this.queries.execute(query);
    const next = endOfStream ? null : events.at(-1)?.revision ?? null;
    if (next !== null) void reply.header('link', Page.link(path, { after: next, limit: page.limit, at }));
    return { stream, events: events.map(eventView), next };
  }
}
