import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type PasidRequest } from '@cadastre/device-layout';
import { ChangePasids, CheckPasid, ListPasids, type PasidChange } from '@cadastre/ledger';
import { type DeviceKey, type PasidPlatform } from '@cadastre/lifecycle';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { asOf } from '../http/as-of.js';
import { Page } from '../http/page.js';
import { parse } from '../http/parse-name.js';
import { entityTag, preconditionOf } from '../http/precondition-header.js';
import { QueryParameters } from '../http/query-parameters.js';
import { answerRecorded } from '../http/recorded-answer.js';
import { requestIdentity } from '../http/request-identity.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { found, recorded } from '../problems/refused.js';
import { checkView, pasidAnswer } from './pasid-answer.js';
import { AttachPasidDto, DetachPasidDto, EnablePasidDto, type PasidPlatformDto, ResetPasidsDto } from './pasids.dto.js';

/** PASID, ATS and PRI of one device, as the host's agent tells them. */
@Controller('v1/vms/:vm/devices/:device')
export class PasidsController {
  constructor(private readonly commands: CommandBus, private readonly queries: QueryBus) {}

  @Post('pasids/enable')
  @HttpCode(200)
  enable(
    @Param() where: DevicePath, @Body() body: EnablePasidDto, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const platform = platformOf(body.platform);
    return this.change(where, { kind: 'enable-pasid', request: requestOf(body), platform }, request, reply);
  }

  /** Whether the guest could use PASID, condition by condition; nothing is recorded. */
  @Post('pasids/check')
  @HttpCode(200)
  async check(@Param() where: DevicePath, @Body() body: EnablePasidDto): Promise<object> {
    const key = deviceKey(where);
    const query = new CheckPasid(key, requestOf(body), platformOf(body.platform));
    const { view, revision } = found(await this.queries.execute(query));
    return { ...key, revision, usable: view.every(({ ok }) => ok), checks: view.map(checkView) };
  }

  @Post('pasids/disable')
  @HttpCode(200)
  disable(
    @Param() where: DevicePath, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return this.change(where, { kind: 'disable-pasid' }, request, reply);
  }

  /** Everything at once, since the function was unbound, closed or reset. */
  @Post('pasids/reset')
  @HttpCode(200)
  reset(
    @Param() where: DevicePath, @Body() body: ResetPasidsDto, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return this.change(where, { kind: 'reset-pasids', cause: body.cause }, request, reply);
  }

  @Post('pasids/:pasid/attach')
  @HttpCode(200)
  attach(
    @Param() where: PasidPath, @Body() body: AttachPasidDto, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const { kind, ptId } = body.requested;
    const answer = attachAnswer(body);
    const pasid = parse.pasid(where.pasid);
    return this.change(where, { kind: 'attach-pasid', pasid, requested: { kind, ptId }, answer }, request, reply);
  }

  @Post('pasids/:pasid/detach')
  @HttpCode(200)
  detach(
    @Param() where: PasidPath, @Body() body: DetachPasidDto, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const errno = body?.errno ?? null;
    const answer = errno === null ? { kind: 'done' } as const : { kind: 'failed', errno } as const;
    return this.change(where, { kind: 'detach-pasid', pasid: parse.pasid(where.pasid), answer }, request, reply);
  }

  /** What the IOMMU driver did: guests have no way to these controls (R16). */
  @Post(':capability/:change')
  @HttpCode(200)
  driver(
    @Param() where: DevicePath & { capability: string; change: string }, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const change = driverChanges.get(`${where.capability}/${where.change}`);
    if (!change) throw new EdgeProblem('not-found', `POST ${request.url} is nothing this server knows`);
    return this.change(where, change, request, reply);
  }

  @Get('pasids')
  @QueryParameters('after', 'limit', 'at')
  async list(
    @Param() where: DevicePath, @Query() query: Record<string, unknown>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = deviceKey(where);
    const page = Page.from(query);
    const behind = page.afterNumber('a PASID') ?? -1;
    const at = await asOf(query['at'], this.queries, reply);
    const { view, revision } = found(await this.queries.execute(new ListPasids(key, behind, page.limit, at)));
    const { pasids: { enabled, attached, atsEnabled, pri }, rows, more } = view;
    const next = more ? rows.at(-1)?.[0] ?? null : null;
    void reply.header('etag', entityTag(revision));
    if (next !== null) void reply.header('link', Page.link(pathOf(key), { after: next, limit: page.limit, at }));
    return {
      ...key, revision, enabled, ats: { enabled: atsEnabled }, pri: { enabled: pri !== null }, count: attached.count,
      pasids: rows.map(([pasid, table]) => ({ pasid, ...table })), next,
    };
  }

  private async change(
    where: DevicePath, change: PasidChange, request: FastifyRequest, reply: FastifyReply,
  ): Promise<object> {
    const key = deviceKey(where);
    const command = new ChangePasids(requestIdentity(request), key, change, preconditionOf(request.headers));
    const outcome = recorded(await this.commands.execute(command));
    answerRecorded(reply, outcome, 200, pathOf(key));
    return pasidAnswer(key, outcome.revision, outcome.state);
  }
}

interface DevicePath {
  readonly vm: string;
  readonly device: string;
}

interface PasidPath extends DevicePath {
  readonly pasid: string;
}

/** A map, since a path named `constructor` must find nothing. */
const driverChanges = new Map<string, PasidChange>([
  ['ats/enable', { kind: 'enable-ats' }], ['ats/disable', { kind: 'disable-ats' }],
  ['pri/enable', { kind: 'enable-pri' }], ['pri/disable', { kind: 'disable-pri' }],
]);

function deviceKey({ vm, device }: DevicePath): DeviceKey {
  return { vm: parse.vm(vm), device: parse.device(device) };
}

function pathOf({ vm, device }: DeviceKey): string {
  return `/v1/vms/${vm}/devices/${device}/pasids`;
}

function requestOf({ width, exec, priv }: EnablePasidDto): PasidRequest {
  return { widthBits: width ?? null, exec: exec ?? null, priv: priv ?? null };
}

function platformOf({ viommuSsidBits, ports }: PasidPlatformDto): PasidPlatform {
  return {
    viommuSsidBits,
    ports: ports.map(({ address, endEndTlpPrefix }, index) =>
      ({ address: parse.address(address, `/platform/ports/${index}/address`), endEndTlpPrefix })),
  };
}

type AttachAnswer = Extract<PasidChange, { kind: 'attach-pasid' }>['answer'];

/** The kernel either attached or failed, and what it says after a success fits what it was asked. */
function attachAnswer({ requested, resulting, errno }: AttachPasidDto): AttachAnswer {
  if (errno != null && resulting == null) return { kind: 'failed', errno };
  if (resulting == null || errno != null) {
    const given = resulting == null ? 'neither' : 'both';
    throw EdgeProblem.field('/resulting', given, 'one of resulting and errno', 'an attach succeeds or fails');
  }
  const { ptId, hwptFlags, faultId = null } = resulting;
  if (requested.kind === 'hwpt' && ptId !== requested.ptId) {
    throw EdgeProblem.field('/resulting/ptId', ptId, String(requested.ptId), 'a hwpt comes back as it was asked for');
  }
  if (hwptFlags.includes('fault-id-valid') !== (faultId !== null)) {
    throw EdgeProblem.field('/resulting/faultId', faultId, 'a fault object with flag fault-id-valid, and none without',
      'flag and fault object disagree');
  }
  return { kind: 'done', resultingPtId: ptId, hwptFlags, faultId };
}
