import { Controller, Get, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ListClashes, ListDevices, ListFunctions, ListFunctionsAt, ListVms } from '@cadastre/ledger';
import { deviceStream, functionStream } from '@cadastre/lifecycle';
import { type FastifyReply } from 'fastify';
import { asOf } from '../http/as-of.js';
import { ListPage } from '../http/list-page.js';
import { QueryParameters } from '../http/query-parameters.js';
import { found } from '../problems/refused.js';
import { listFilter } from './list-filter.js';
import { deviceRowView, functionRowView } from './row-view.js';

type Given = Record<string, unknown>;

/** The lists: each has whatever was recorded before the question. */
@Controller('v1')
export class ListsController {
  constructor(private readonly queries: QueryBus) {}

  @Get('functions')
  @QueryParameters('host', 'vm', 'model', 'capability', 'claimed', 'at', 'after', 'limit')
  async functions(@Query() query: Given, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const filter = listFilter.functions(query);
    const at = await asOf(query['at'], this.queries, reply);
    const page = ListPage.at(at, '/v1/functions', query);
    const { rows, more } = found(await this.queries.execute(at === null
      ? new ListFunctions(filter, page.after(), page.limit) : new ListFunctionsAt(at, page.after(), page.limit)));
    const last = rows.at(-1);
    return { functions: rows.map(functionRowView), next: page.next(reply, last && functionStream(last.key), more) };
  }

  @Get('devices')
  @QueryParameters('vm', 'host', 'model', 'capability', 'layoutDigest', 'verdict', 'state', 'after', 'limit')
  async devices(@Query() query: Given, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const page = new ListPage('/v1/devices', query);
    const list = new ListDevices(listFilter.devices(query), page.after(), page.limit);
    const { rows, more } = found(await this.queries.execute(list));
    const last = rows.at(-1);
    return { devices: rows.map(deviceRowView), next: page.next(reply, last && deviceStream(last.key), more) };
  }

  /** VMs that have or had devices. */
  @Get('vms')
  @QueryParameters('after', 'limit')
  async vms(@Query() query: Given, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const page = new ListPage('/v1/vms', query);
    const { rows, more } = found(await this.queries.execute(new ListVms(page.after(), page.limit)));
    return { vms: rows, next: page.next(reply, rows.at(-1)?.vm, more) };
  }

  /** Whatever was recorded and contradicts itself, oldest first. */
  @Get('audit/clashes')
  @QueryParameters('kind', 'host', 'vm', 'after', 'limit')
  async clashes(@Query() query: Given, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const page = new ListPage('/v1/audit/clashes', query);
    const list = new ListClashes(listFilter.clashes(query), Number(page.after()), page.limit);
    const { rows, more } = found(await this.queries.execute(list));
    const last = rows.at(-1);
    return {
      clashes: rows.map(({ kind, position, recordedAt, streams, detail }) =>
        ({ kind, position, recordedAt, streams, detail })),
      next: page.next(reply, last && String(last.id), more),
    };
  }
}
