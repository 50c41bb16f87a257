import { Controller, Get, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ListClashes, ListDevices, ListFunctions, ListMigrations, ListVms } from '@cadastre/ledger';
import { type FastifyReply } from 'fastify';
import { asOf } from '../http/as-of.js';
import { ListPage } from '../http/list-page.js';
import { QueryParameters } from '../http/query-parameters.js';
import { found } from '../problems/refused.js';
import { listFilter } from './list-filter.js';
import { deviceRowView, functionRowView, migrationRowView } from './row-view.js';

type Given = Record<string, unknown>;

/** The lists: each has whatever was recorded before the question, or by the moment that was asked for. */
@Controller('v1')
export class ListsController {
  constructor(private readonly queries: QueryBus) {}

  @Get('functions')
  @QueryParameters('host', 'vm', 'model', 'capability', 'claimed', 'at', 'after', 'limit')
  async functions(@Query() query: Given, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const filter = listFilter.functions(query);
    const at = await asOf(query['at'], this.queries, reply);
    const page = ListPage.at(at, '/v1/functions', query);
    const { rows, next } = found(await this.queries.execute(new ListFunctions(filter, page.after(), page.limit, at)));
    return { functions: rows.map(functionRowView), next: page.next(reply, next) };
  }

  @Get('devices')
  @QueryParameters('vm', 'host', 'model', 'capability', 'layoutDigest', 'verdict', 'state', 'at', 'after', 'limit')
  async devices(@Query() query: Given, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const filter = listFilter.devices(query);
    const at = await asOf(query['at'], this.queries, reply);
    const page = ListPage.at(at, '/v1/devices', query);
    const { rows, next } = found(await this.queries.execute(new ListDevices(filter, page.after(), page.limit, at)));
    return { devices: rows.map(deviceRowView), next: page.next(reply, next) };
  }

  /** VMs that have or had devices. */
  @Get('vms')
  @QueryParameters('at', 'after', 'limit')
  async vms(@Query() query: Given, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const at = await asOf(query['at'], this.queries, reply);
    const page = ListPage.at(at, '/v1/vms', query);
    const { rows, next } = found(await this.queries.execute(new ListVms(page.after(), page.limit, at)));
    return { vms: rows, next: page.next(reply, next) };
  }

  /** Migrations of all VMs, oldest first. */
  @Get('migrations')
  @QueryParameters('vm', 'host', 'state', 'at', 'after', 'limit')
  async migrations(@Query() query: Given, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const filter = listFilter.migrations(query);
    const at = await asOf(query['at'], this.queries, reply);
    const page = ListPage.at(at, '/v1/migrations', query);
    const { rows, next } = found(await this.queries.execute(new ListMigrations(filter, page.after(), page.limit, at)));
    return { migrations: rows.map(migrationRowView), next: page.next(reply, next) };
  }

  /** Whatever was recorded and contradicts itself, oldest first. */
  @Get('audit/clashes')
  @QueryParameters('kind', 'host', 'vm', 'at', 'after', 'limit')
  async clashes(@Query() query: Given, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const filter = listFilter.clashes(query);
    const at = await asOf(query['at'], this.queries, reply);
    const page = ListPage.at(at, '/v1/audit/clashes', query);
    const list = new ListClashes(at === null ? filter : { ...filter, at }, Number(page.after()), page.limit);
    const { rows, next } = found(await this.queries.execute(list));
    return {
      clashes: rows.map(({ kind, position, recordedAt, streams, detail }) =>
        ({ kind, position, recordedAt, streams, detail })),
      next: page.next(reply, next),
    };
  }
}
