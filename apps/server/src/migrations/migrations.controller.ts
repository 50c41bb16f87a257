import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { AdvanceMigration, GetMigration, ListVmMigrations, type MigrationStep, PlanMigration } from '@cadastre/ledger';
import { type KnownMigration, type MigrationKey, type MigrationState } from '@cadastre/lifecycle';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { vmmOf } from '../devices/layout-wish.js';
import { asOf } from '../http/as-of.js';
import { ListPage } from '../http/list-page.js';
import { parse } from '../http/parse-name.js';
import { entityTag, preconditionOf, readerHas } from '../http/precondition-header.js';
import { QueryParameters } from '../http/query-parameters.js';
import { answerRecorded } from '../http/recorded-answer.js';
import { requestIdentity } from '../http/request-identity.js';
import { NamedByIds } from '../http/sound-body.js';
import { migrationRowView } from '../lists/row-view.js';
import { found, recorded } from '../problems/refused.js';
import { migrationView } from './migration-view.js';
import { AbortMigrationDto, PlanMigrationDto } from './migrations.dto.js';

@Controller('v1/vms/:vm/migrations')
export class MigrationsController {
  constructor(private readonly commands: CommandBus, private readonly queries: QueryBus) {}

  /** Plans: a verdict for each device of the VM, all of them or none. */
  @Post()
  @NamedByIds('/target/functions')
  async plan(
    @Param('vm') given: string, @Body() { target }: PlanMigrationDto, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const vm = parse.vm(given);
    const functions = new Map(Object.entries(target.functions).map(([device, address]) =>
      [String(parse.device(device, '/target/functions')), parse.functionOf(device, address)] as const));
    const command = new PlanMigration(requestIdentity(request), vm, parse.host(target.host, '/target/host'),
      target.vmm ? vmmOf(target.vmm, '/target/vmm') : null, functions);
    const outcome = recorded(await this.commands.execute(command));
    const migration = known(outcome.state);
    answerRecorded(reply, outcome, 201, pathOf(migration.key));
    return migrationView(migration);
  }

  /** Claims the functions at the target. */
  @Post(':id/prepare')
  @HttpCode(200)
  prepare(
    @Param('vm') vm: string, @Param('id') id: string, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return this.advance('prepare', keyOf(vm, id), null, request, reply);
  }

  /** The VM runs there: its devices are on the functions at the target, those at the source are free. */
  @Post(':id/complete')
  @HttpCode(200)
  complete(
    @Param('vm') vm: string, @Param('id') id: string, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return this.advance('complete', keyOf(vm, id), null, request, reply);
  }

  /** The VM stays: the functions at the target are free. */
  @Post(':id/abort')
  @HttpCode(200)
  abort(
    @Param('vm') vm: string, @Param('id') id: string, @Body() body: AbortMigrationDto, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return this.advance('abort', keyOf(vm, id), body?.reason ?? null, request, reply);
  }

  @Get(':id')
  @QueryParameters('at')
  async one(
    @Param('vm') vm: string, @Param('id') id: string, @Query() query: Record<string, unknown>,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | undefined> {
    const at = await asOf(query['at'], this.queries, reply);
    const { view, revision } = found(await this.queries.execute(new GetMigration(keyOf(vm, id), at)));
    void reply.header('etag', entityTag(revision));
    if (!readerHas(revision, request.headers)) return migrationView(view);
    void reply.status(304);
    return undefined;
  }

  /** Oldest first. */
  @Get()
  @QueryParameters('at', 'after', 'limit')
  async all(
    @Param('vm') given: string, @Query() query: Record<string, unknown>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const vm = parse.vm(given);
    const at = await asOf(query['at'], this.queries, reply);
    const page = ListPage.at(at, `/v1/vms/${vm}/migrations`, query);
    const list = new ListVmMigrations(vm, page.after(), page.limit, at);
    const { rows, next } = found(await this.queries.execute(list));
    return { vm, migrations: rows.map(migrationRowView), next: page.next(reply, next) };
  }

  private async advance(
    step: MigrationStep, key: MigrationKey, reason: string | null, request: FastifyRequest, reply: FastifyReply,
  ): Promise<object> {
    const command = new AdvanceMigration(requestIdentity(request), key, step, reason, preconditionOf(request.headers));
    const outcome = recorded(await this.commands.execute(command));
    answerRecorded(reply, outcome, 200, pathOf(key));
    return migrationView(known(outcome.state));
  }
}

function keyOf(vm: string, id: string): MigrationKey {
  return { vm: parse.vm(vm), id: parse.migration(id) };
}

function pathOf({ vm, id }: MigrationKey): string {
  return `/v1/vms/${vm}/migrations/${id}`;
}

function known(state: MigrationState): KnownMigration {
  if (state.kind === 'unknown') throw new Error('a migration that was just written is known');
  return state;
}
