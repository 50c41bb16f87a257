import { Body, Controller, Get, Param, Put, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { GetPersona, PublishPersona } from '@cadastre/ledger';
import { type PublishedPersona } from '@cadastre/lifecycle';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { asOf } from '../http/as-of.js';
import { parse } from '../http/parse-name.js';
import { entityTag, preconditionOf, readerHas } from '../http/precondition-header.js';
import { QueryParameters } from '../http/query-parameters.js';
import { answerRecorded } from '../http/recorded-answer.js';
import { requestIdentity } from '../http/request-identity.js';
import { givenLayout } from '../layouts/given-function.js';
import { PublishPersonaDto } from '../layouts/layouts.dto.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { found, recorded, Refused } from '../problems/refused.js';

@Controller('v1/personas/:name')
export class PersonasController {
  constructor(private readonly commands: CommandBus, private readonly queries: QueryBus) {}

  /** Publishes the next version; those before it stay as they are. */
  @Put()
  async publish(
    @Param('name') given: string, @Body() body: PublishPersonaDto, @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const name = parse.persona(given);
    const command = new PublishPersona(requestIdentity(request), name, givenLayout(body.layout, '/layout'),
      body.instanceType ?? null, preconditionOf(request.headers));
    const outcome = recorded(await this.commands.execute(command));
    if (outcome.state.kind !== 'published') throw new Error('a persona that was just written is published');
    answerRecorded(reply, outcome, 201, `/v1/personas/${name}`);
    return personaView(outcome.state, null);
  }

  @Get()
  @QueryParameters('version', 'at')
  async one(
    @Param('name') given: string, @Query('version') version: string | undefined, @Query('at') at: unknown,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | undefined> {
    if (version !== undefined && !/^[1-9]\d{0,8}$/.test(version)) {
      throw EdgeProblem.field('/version', version, 'a whole number from 1', 'not a version');
    }
    const query = new GetPersona(parse.persona(given), await asOf(at, this.queries, reply));
    const { view, revision } = found(await this.queries.execute(query));
    void reply.header('etag', entityTag(revision));
    if (!readerHas(revision, request.headers)) return personaView(view, version === undefined ? null : Number(version));
    void reply.status(304);
    return undefined;
  }
}

/** One version with its layout, and the names of all. */
function personaView({ name, revision, versions }: PublishedPersona, version: number | null): object {
  const shown = version === null ? versions.at(-1) : versions.find((one) => one.version === version);
  if (!shown) throw new Refused({ kind: 'persona-unknown', name, version });
  return {
    name, revision, version: shown.version, instanceType: shown.instanceType, digest: shown.digest,
    layout: JSON.parse(shown.layout) as unknown,
    versions: versions.map(({ version: number, instanceType, digest }) => ({ version: number, instanceType, digest })),
  };
}
