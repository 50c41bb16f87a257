import { Readable } from 'node:stream';
import { Body, Controller, Get, Header, Logger, Param, Post, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ExportVm, GetImport, ImportBundle } from '@cadastre/ledger';
import { type ImportKey } from '@cadastre/lifecycle';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { asOf } from '../http/as-of.js';
import { parse } from '../http/parse-name.js';
import { entityTag, readerHas } from '../http/precondition-header.js';
import { QueryParameters } from '../http/query-parameters.js';
import { ndjson } from '../http/read-ndjson.js';
import { answerRecorded } from '../http/recorded-answer.js';
import { requestIdentity } from '../http/request-identity.js';
import { traceIdOf } from '../http/trace-id.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { found, recorded } from '../problems/refused.js';
import { readImport } from './import-order.js';
import { importView } from './import-view.js';

/** A VM's records leave for another ledger, and come from one. */
@Controller('v1/vms/:vm')
export class BundlesController {
  private readonly logger = new Logger(BundlesController.name);

  constructor(private readonly commands: CommandBus, private readonly queries: QueryBus) {}

  /** All that is recorded of the VM's devices, as one file. */
  @Get('bundle')
  @Header('cache-control', 'no-transform')
  @QueryParameters('at')
  async bundle(
    @Param('vm') given: string, @Query() query: Record<string, unknown>, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const vm = parse.vm(given);
    const { lines } = found(await this.queries.execute(new ExportVm(vm, await asOf(query['at'], this.queries, reply))));
    return new StreamableFile(Readable.from(this.sent(lines, `${traceIdOf(request)} the bundle of ${vm}`)), {
      type: ndjson, disposition: `attachment; filename="${vm}.bundle"` });
  }

  /** The first line says where the devices go, the others are the bundle. */
  @Post('imports')
  async import(
    @Param('vm') given: string, @Body() body: unknown, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const vm = parse.vm(given);
    if (typeof body !== 'string') {
      throw new EdgeProblem('media-type-unsupported', `send ${ndjson}: a line with the target, then the bundle`,
        [{ pointer: '', detail: 'header Content-Type', limit: ndjson }]);
    }
    const { target, lines } = await readImport(body);
    const outcome = recorded(await this.commands.execute(
      new ImportBundle(requestIdentity(request), vm, target, lines)));
    if (outcome.state.kind !== 'imported') throw new Error('an import that was just written is known');
    answerRecorded(reply, outcome, 201, `/v1/vms/${vm}/imports/${outcome.state.key.id}`);
    return importView(outcome.state);
  }

  /** It is too late to answer an error: whoever reads finds the bundle cut, and the log says why. */
  private async* sent(lines: AsyncIterable<string>, what: string): AsyncGenerator<string> {
    try {
      yield* lines;
    } catch (error) {
      this.logger.error(`${what} was cut`, error instanceof Error ? error.stack : error);
      throw error;
    }
  }

  @Get('imports/:id')
  @QueryParameters('at')
  async one(
    @Param('vm') vm: string, @Param('id') id: string, @Query() query: Record<string, unknown>,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | undefined> {
    const key: ImportKey = { vm: parse.vm(vm), id: parse.import(id) };
    const at = await asOf(query['at'], this.queries, reply);
    const { view, revision } = found(await this.queries.execute(new GetImport(key, at)));
    void reply.header('etag', entityTag(revision));
    if (!readerHas(revision, request.headers)) return importView(view);
    void reply.status(304);
    return undefined;
  }
}
