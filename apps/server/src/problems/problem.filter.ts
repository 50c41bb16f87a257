import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { type Refusal } from '@cadastre/ledger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { bodyBytesMax } from '../http/body-limit.js';
import { entityTag } from '../http/precondition-header.js';
import { linesBytesMax, ndjson } from '../http/read-ndjson.js';
import { traceIdOf } from '../http/trace-id.js';
import { type EdgeCode, EdgeProblem, edgeProblems } from './edge-problem.js';
import { type FieldError, type Problem } from './problem.js';
import { type RefusalProblem, refusalProblems } from './refusal-problems.js';
import { Refused } from './refused.js';

type Told = Omit<Problem, 'traceId' | 'type'>;

/** Turns everything thrown below it into one RFC 9457 answer. Nothing else in the server writes error bodies. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  /** @param onOutcomeUnknown called once a reply that says so is on its way: the process must not go on */
  constructor(private readonly onOutcomeUnknown: () => void) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const traceId = traceIdOf(request);
    const told = this.tell(error, request, reply, traceId);
    const problem: Problem = { type: `/problems/${told.code}`, traceId, ...told };
    void reply.status(told.status).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
    if (told.code === 'outcome-unknown') reply.raw.once('close', this.onOutcomeUnknown);
  }

  private tell(error: unknown, request: FastifyRequest, reply: FastifyReply, traceId: string): Told {
    if (error instanceof Refused) return refusalTold(error.refusal, reply);
    if (error instanceof EdgeProblem) {
      const errors = error.errors.length > 0 ? { errors: error.errors } : {};
      return { ...edgeTold(error.code, error.message), ...errors };
    }
    const edge = frameworkProblem(error, request);
    if (edge) return edge;
    this.logger.error(`${traceId} ${request.method} ${request.url}`, error instanceof Error ? error.stack : error);
    const told = edgeTold('internal-error', `the server failed; its log has the reason under ${traceId}`);
    // Nobody knows how far a write came; its idempotency key, without which nothing is written, finds out.
    const isWrite = request.method !== 'GET' && request.headers['idempotency-key'] !== undefined;
    return { ...told, outcome: isWrite ? 'unknown' : 'none' };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'not JSON';
}

function withField(told: Told, field: FieldError): Told {
  return { ...told, errors: [field] };
}

function edgeTold(code: EdgeCode, detail: string): Told {
  return { ...edgeProblems[code], detail, code, outcome: 'none' };
}

function refusalTold(refusal: Refusal, reply: FastifyReply): Told {
  const row: RefusalProblem<Refusal> = refusalProblems[refusal.kind];
  if (row.retryAfter !== undefined) void reply.header('retry-after', row.retryAfter);
  if (refusal.kind === 'revision-stale' || refusal.kind === 'precondition-required') {
    if (refusal.actual !== null) void reply.header('etag', entityTag(refusal.actual));
  }
  return {
    status: row.status, title: row.title, detail: row.detail(refusal), code: refusal.kind,
    outcome: row.outcome ?? 'none',
    errors: [row.field(refusal)],
    refusal,
  };
}

/** Errors that Fastify and Nest raise before a controller runs, by their codes. */
function frameworkProblem(error: unknown, request: FastifyRequest): Told | undefined {
  const status = error instanceof HttpException ? error.getStatus()
    : typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  switch (status) {
    case 400: return withField(edgeTold('body-malformed', messageOf(error)), {
      pointer: '', detail: messageOf(error), limit: 'JSON (RFC 8259) in UTF-8',
    });
    case 404: return edgeTold('not-found', `${request.method} ${request.url} is nothing this server knows`);
    case 413: {
      const limit = request.headers['content-type']?.startsWith(ndjson) ? linesBytesMax : bodyBytesMax;
      return withField(edgeTold('body-too-large', `the body is larger than ${limit} bytes`), {
        pointer: '', detail: 'the body', value: Number(request.headers['content-length']) || null,
        limit: `${limit} bytes`,
      });
    }
    case 415: return withField(edgeTold('media-type-unsupported', 'send application/json in UTF-8'), {
      pointer: '', detail: 'header Content-Type', value: request.headers['content-type'] ?? null,
      limit: 'application/json',
    });
    default: return undefined;
  }
}
