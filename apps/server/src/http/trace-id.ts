import { type FastifyRequest } from 'fastify';

const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace id (W3C Trace Context, "traceparent"), or the id this server gave the request. */
export function traceIdOf(request: FastifyRequest): string {
  const given = request.headers['traceparent'];
  return (typeof given === 'string' ? traceparent.exec(given)?.[1] : undefined) ?? request.id;
}
