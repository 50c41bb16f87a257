import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type EventStore } from '@cadastre/event-store';
import { type Clock } from '@cadastre/ledger';
import { type Views } from '@cadastre/views';
import { bodyBytesMax } from './http/body-limit.js';
import { Head } from './http/head.js';
import { NoBody } from './http/no-body.js';
import { KnownQueryParameters } from './http/query-parameters.js';
import { SoundBody } from './http/sound-body.js';
import { readJson } from './http/read-json.js';
import { linesBytesMax, ndjson, readNdjson, refuseLinesElsewhere } from './http/read-ndjson.js';
import { answerUnreadable, answerUnreadableSocket } from './http/unreadable-request.js';
import { validationPipe } from './http/validation.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { ServerModule } from './server.module.js';
import { stderrLogger } from './stderr-logger.js';

export interface ServerOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  /** The lists of this store; closing the server does not close them either. */
  readonly views: Views;
  /** Called after a reply that says `outcome: unknown`: the store is fenced and the process has to end (law 1). */
  readonly onOutcomeUnknown: () => void;
}

/** A whole request must be here within this time; slower clients are cut. */
const requestTimeoutMs = 30_000;

/** The server, not listening yet. Closing it does not close the store, which belongs to the caller. */
export async function createServer(options: ServerOptions): Promise<NestFastifyApplication> {
  const { store, clock, views, onOutcomeUnknown } = options;
  const adapter = new FastifyAdapter({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    genReqId: () => randomUUID().replaceAll('-', ''),
    forceCloseConnections: 'idle',
    // Three times a name of 64 characters, percent-encoded; longer parts reach the parser of names, which says so.
    routerOptions: { maxParamLength: 1_024 },
    frameworkErrors: answerUnreadable,
    clientErrorHandler: answerUnreadableSocket,
    http: { connectionsCheckingInterval: 5_000 },
  });
  const app = await NestFactory.create<NestFastifyApplication>(ServerModule.register({ store, clock, views }), adapter,
    { logger: stderrLogger, bodyParser: false, abortOnError: false });
  // Plain text Fastify would take as well, and then complain about its content.
  adapter.getInstance().removeContentTypeParser(['text/plain', 'application/json']);
  const fastify = adapter.getInstance();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, readJson(fastify));
  fastify.addHook('onRequest', refuseLinesElsewhere);
  fastify.addContentTypeParser(ndjson, { parseAs: 'buffer', bodyLimit: linesBytesMax }, readNdjson);
  app.useGlobalGuards(new KnownQueryParameters(), new SoundBody(), new NoBody());
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter(onOutcomeUnknown));
  const head = new Head(store);
  adapter.getInstance().addHook('onSend', async (request, reply) => {
    if (!request.url.startsWith('/v1/') || reply.hasHeader('cadastre-position')) return;
    const position = await head.position();
    if (position !== undefined) void reply.header('cadastre-position', position);
  });
  return app;
}
