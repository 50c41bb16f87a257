import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { GetFamily, GetFunction, ObserveFunction, RetireFunction } from '@cadastre/ledger';
import { type FunctionKey, Observation } from '@cadastre/lifecycle';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { asOf } from '../http/as-of.js';
import { parse } from '../http/parse-name.js';
import { entityTag, preconditionOf, readerHas } from '../http/precondition-header.js';
import { QueryParameters } from '../http/query-parameters.js';
import { answerRecorded } from '../http/recorded-answer.js';
import { requestIdentity } from '../http/request-identity.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { found, recorded } from '../problems/refused.js';
import { changedView, familyView, functionView } from './function-view.js';
import { ObserveFunctionDto, RetireFunctionDto } from './observe-function.dto.js';
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
      kernel: { release: kernel.release, flavour: kernel.flavour }, firmware: body.firmware ?? null,
      iommu: { maxPasidLog2: iommu.maxPasidLog2, exec: iommu.exec, priv: iommu.priv, atsSupported: iommu.atsSupported },
      sriov: { role: sriov.role, pf: sriov.pf == null ? null : parse.address(sriov.pf, '/sriov/pf') },
    });
    const command = new ObserveFunction(requestIdentity(request), key, observation, preconditionOf(request.headers));
    const outcome = recorded(await this.commands.execute(command));
    const { state, recorded: what, changed } = outcome.state;
    answerRecorded(reply, outcome, what === 'confirmed' ? 200 : 201, pathOf(key));
    return { recorded: what, ...changed && { changed: changed.map(changedView) }, ...functionView(state) };
  }

  /** Takes a function out of service; a new look brings it back. */
  @Post(':host/:address/retire')
  @HttpCode(200)
  async retire(
    @Param('host') host: string, @Param('address') address: string, @Body() body: RetireFunctionDto,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = { host: parse.host(host), address: parse.address(address) };
    const precondition = preconditionOf(request.headers);
    const command = new RetireFunction(requestIdentity(request), key, body?.reason ?? null, precondition);
    const outcome = recorded(await this.commands.execute(command));
    if (outcome.state.kind === 'unregistered') throw new Error('a function that was retired was registered');
    answerRecorded(reply, outcome, 200, pathOf(key));
    return functionView(outcome.state);
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

  /** The SR-IOV family of a function, and who uses what its PF has for all of it. */
  @Get(':host/:address/family')
  @QueryParameters('at')
  async family(
    @Param('host') host: string, @Param('address') address: string, @Query('at') at: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = { host: parse.host(host), address: parse.address(address) };
    return familyView(found(await this.queries.execute(new GetFamily(key, await asOf(at, this.queries, reply)))).view);
  }
}

function pathOf({ host, address }: FunctionKey): string {
  return `/v1/functions/${host}/${address}`;
}
