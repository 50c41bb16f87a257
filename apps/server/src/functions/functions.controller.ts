import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { GetFunction, ListFunctions, ObserveFunction } from '@cadastre/ledger';
import { Observation } from '@cadastre/lifecycle';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { asOf } from '../http/as-of.js';
import { Page } from '../http/page.js';
import { parse } from '../http/parse-name.js';
import { entityTag, preconditionOf, readerHas } from '../http/precondition-header.js';
import { QueryParameters } from '../http/query-parameters.js';
import { answerRecorded } from '../http/recorded-answer.js';
import { requestIdentity } from '../http/request-identity.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { found, recorded } from '../problems/refused.js';
import { functionRowView, functionView } from './function-view.js';
import { ObserveFunctionDto } from './observe-function.dto.js';
import { readConfigSpace } from './read-config-space.js';

@Controller('v1/functions')
export class FunctionsController {
  constructor(private readonly commands: CommandBus, private readonly queries: QueryBus) {}

  /** Registers a function, or records another look at it. */
  @Post()
  async observe(
    @Body() body: ObserveFunctionDto, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = { host: parse.host(body.host), address: parse.address(body.address) };
    const { kernel, iommu, sriov } = body;
    if (sriov.pf != null && sriov.role !== 'vf') {
      throw EdgeProblem.field('/sriov/pf', sriov.pf, 'role vf', 'only a VF has a physical function');
    }
    const observation = Observation.of(readConfigSpace(body.configSpace, key.address), {
      kernel: { release: kernel.release, flavour: kernel.flavour },
      iommu: { maxPasidLog2: iommu.maxPasidLog2, exec: iommu.exec, priv: iommu.priv, atsSupported: iommu.atsSupported },
      sriov: { role: sriov.role, pf: sriov.pf == null ? null : parse.address(sriov.pf, '/sriov/pf') },
    });
    const command = new ObserveFunction(requestIdentity(request), key, observation, preconditionOf(request.headers));
    const outcome = recorded(await this.commands.execute(command));
    if (outcome.state.kind !== 'registered') throw new Error('an observed function is registered');
    const { revision } = outcome.state;
    const isNew = outcome.state.observation?.revision === revision;
    answerRecorded(reply, outcome, isNew ? 201 : 200, `/v1/functions/${key.host}/${key.address}`);
    const what = !isNew ? 'confirmed' : revision === 1 ? 'registered' : 'observed';
    return { recorded: what, ...functionView(outcome.state) };
  }

  @Get()
  @QueryParameters('after', 'limit', 'at')
  async list(
    @Query() query: Record<string, unknown>, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const page = Page.from(query);
    const at = await asOf(query['at'], this.queries, reply);
    const { rows, more } = await this.queries.execute(new ListFunctions(page.afterName(), page.limit, at));
    const last = rows.at(-1);
    const next = more && last ? Page.cursor(`function-${last.key.host}/${last.key.address}`) : null;
    if (next) void reply.header('link', Page.link('/v1/functions', { after: next, limit: page.limit, at }));
    return { functions: rows.map(functionRowView), next };
  }

  @Get(':host/:address')
  @QueryParameters('at')
  async one(
    @Param('host') host: string, @Param('address') address: string, @Query('at') at: unknown,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | undefined> {
    const key = { host: parse.host(host), address: parse.address(address) };
    const query = new GetFunction(key, await asOf(at, this.queries, reply));
    const { view, revision } = found(await this.queries.execute(query));
    void reply.header('etag', entityTag(revision));
    if (readerHas(revision, request.headers)) {
      void reply.status(304);
      return undefined;
    }
    return functionView(view);
  }
}
