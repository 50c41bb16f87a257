import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { writeLspciText } from '@cadastre/config-space';
import { writeLayoutDocument } from '@cadastre/device-layout';
import {
  AttachDevice, DecideLayout, DetachDevice, GetDevice, GetGuestConfigSpace, GetLayout, type GuestConfigSpace,
  ObserveGuest,
} from '@cadastre/ledger';
import { type DeviceKey, type DeviceState } from '@cadastre/lifecycle';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { firstAddress, readConfigSpace } from '../functions/read-config-space.js';
import { asOf } from '../http/as-of.js';
import { parse } from '../http/parse-name.js';
import { entityTag, knows, preconditionOf, readerHas } from '../http/precondition-header.js';
import { QueryParameters } from '../http/query-parameters.js';
import { answerRecorded } from '../http/recorded-answer.js';
import { requestIdentity } from '../http/request-identity.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { found, recorded } from '../problems/refused.js';
import { AttachDeviceDto, DetachDeviceDto, LayoutWishDto, ObserveGuestDto } from './attach-device.dto.js';
import { deviceView } from './device-view.js';
import { explanationView } from './explanation-view.js';
import { wishOf } from './layout-wish.js';

@Controller('v1/vms/:vm/devices/:device')
export class DevicesController {
  constructor(private readonly commands: CommandBus, private readonly queries: QueryBus) {}

  @Post('attach')
  async attach(
    @Param('vm') vm: string, @Param('device') device: string, @Body() body: AttachDeviceDto,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = deviceKey(vm, device);
    const functionKey = {
      host: parse.host(body.function.host, '/function/host'),
      address: parse.address(body.function.address, '/function/address'),
    };
    const command = new AttachDevice(requestIdentity(request), key, functionKey, wishOf(body),
      body.hotPlugOrder ?? null, preconditionOf(request.headers));
    const outcome = recorded(await this.commands.execute(command));
    answerRecorded(reply, outcome, 201, pathOf(key));
    return deviceView(known(outcome.state));
  }

  /** Decides the layout again, while no guest has seen it. */
  @Post('layout')
  @HttpCode(200)
  async decide(
    @Param('vm') vm: string, @Param('device') device: string, @Body() body: LayoutWishDto,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = deviceKey(vm, device);
    const precondition = preconditionOf(request.headers);
    const command = new DecideLayout(requestIdentity(request), key, wishOf(body), precondition);
    const outcome = recorded(await this.commands.execute(command));
    answerRecorded(reply, outcome, 200, pathOf(key));
    return deviceView(known(outcome.state));
  }

  /** What was read inside the guest: confirms the layout, or says in what it diverges and who may have done it. */
  @Post('observations')
  async observe(
    @Param('vm') vm: string, @Param('device') device: string, @Body() body: ObserveGuestDto,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = deviceKey(vm, device);
    const { configSpace } = body;
    const address = parse.address(body.address ?? firstAddress(configSpace), '/address');
    const command = new ObserveGuest(requestIdentity(request), key, readConfigSpace(configSpace, address),
      preconditionOf(request.headers));
    const outcome = recorded(await this.commands.execute(command));
    answerRecorded(reply, outcome, 201, pathOf(key));
    return deviceView(known(outcome.state));
  }

  @Post('detach')
  @HttpCode(200)
  async detach(
    @Param('vm') vm: string, @Param('device') device: string, @Body() body: DetachDeviceDto,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = deviceKey(vm, device);
    const precondition = preconditionOf(request.headers);
    const command = new DetachDevice(requestIdentity(request), key, body?.reason ?? null, precondition);
    const outcome = recorded(await this.commands.execute(command));
    answerRecorded(reply, outcome, 200, pathOf(key));
    return deviceView(known(outcome.state));
  }

  @Get()
  @QueryParameters('at')
  async one(
    @Param('vm') vm: string, @Param('device') device: string, @Query('at') at: unknown,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | undefined> {
    const query = new GetDevice(deviceKey(vm, device), await asOf(at, this.queries, reply));
    const { view, revision } = found(await this.queries.execute(query));
    void reply.header('etag', entityTag(revision));
    if (!readerHas(revision, request.headers)) return deviceView(view);
    void reply.status(304);
    return undefined;
  }

  /** The layout as a `cadastre.layout/1` document, in its canonical bytes. */
  @Get('layout')
  @QueryParameters('at')
  async layout(
    @Param('vm') vm: string, @Param('device') device: string, @Query('at') at: unknown,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    const query = new GetLayout(deviceKey(vm, device), await asOf(at, this.queries, reply));
    const { view, revision } = found(await this.queries.execute(query));
    void reply.header('etag', entityTag(revision)).type(mediaTypes.json);
    if (!readerHas(revision, request.headers)) return writeLayoutDocument(view.document);
    void reply.status(304);
    return undefined;
  }

  /** Who owns a byte the guest reads, which event and rule put it there, and what was considered instead. */
  @Get('explain')
  @QueryParameters('byte', 'at')
  async explain(
    @Param('vm') vm: string, @Param('device') device: string, @Query('byte') byte: unknown, @Query('at') at: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const key = deviceKey(vm, device);
    const query = new GetLayout(key, await asOf(at, this.queries, reply));
    const { view, revision } = found(await this.queries.execute(query));
    void reply.header('etag', entityTag(revision));
    return { ...key, revision, ...explanationView(view, byte) };
  }

  /** The guest's config space: `lspci` text, bytes, or JSON, whichever the caller accepts. */
  @Get('config-space')
  @QueryParameters('at')
  async configSpace(
    @Param('vm') vm: string, @Param('device') device: string, @Query('at') at: unknown,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const form = acceptedForm(request.headers.accept);
    const key = deviceKey(vm, device);
    const query = new GetGuestConfigSpace(key, await asOf(at, this.queries, reply));
    const { view, revision } = found(await this.queries.execute(query));
    const tag = `"${revision}-${form}"`;
    void reply.header('etag', tag).header('vary', 'accept').type(mediaTypes[form]);
    if (!knows(request.headers, tag)) return represent[form](key, view);
    void reply.status(304);
    return undefined;
  }
}

function deviceKey(vm: string, device: string): DeviceKey {
  return { vm: parse.vm(vm), device: parse.device(device) };
}

function pathOf({ vm, device }: DeviceKey): string {
  return `/v1/vms/${vm}/devices/${device}`;
}

function known(state: DeviceState): Exclude<DeviceState, { kind: 'unknown' }> {
  if (state.kind === 'unknown') throw new Error('a device that was just written is known');
  return state;
}

const mediaTypes = {
  lspci: 'text/plain; charset=utf-8',
  binary: 'application/octet-stream',
  json: 'application/json; charset=utf-8',
} as const;
type Form = keyof typeof mediaTypes;

const represent: { readonly [F in Form]: (key: DeviceKey, view: GuestConfigSpace) => unknown } = {
  lspci: (key, { function: { host, address }, space }) =>
    writeLspciText([{ address, title: `guest view of ${key.vm}/${key.device}, function of host ${host}`, space }]),
  binary: (_key, { space }) => Buffer.from(space.toBytes()),
  json: (key, { function: source, layout, space }) => ({
    ...key,
    function: source,
    size: space.size,
    digest: layout.guestConfigSpaceDigest,
    configSpace: { encoding: 'base64', data: Buffer.from(space.toBytes()).toString('base64') },
  }),
};

/** A map, since a type named `constructor` must find nothing. */
const forms = new Map<string, Form>([
  ['*/*', 'lspci'], ['text/*', 'lspci'], ['text/plain', 'lspci'],
  ['application/octet-stream', 'binary'],
  ['application/json', 'json'], ['application/*', 'json'],
]);

/** The form the Accept header likes best (RFC 9110, "Accept"); `lspci` text where anything will do. */
function acceptedForm(accept = '*/*'): Form {
  const liked = accept.split(',').map((one) => {
    const [type = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((part) => part.startsWith('q='));
    return { form: forms.get(type), weight: weight === undefined ? 1 : Number(weight.slice(2)) };
  });
  // A sort is stable: among equals the one named first wins.
  const [best] = liked.filter(({ form, weight }) => form && weight > 0).sort((a, b) => b.weight - a.weight);
  if (best?.form) return best.form;
  const offered = Object.values(mediaTypes).join(', ');
  throw new EdgeProblem('not-acceptable', `Accept: ${accept.slice(0, 80)}; there are ${offered}`);
}
