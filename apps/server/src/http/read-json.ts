import { isUtf8 } from 'node:buffer';
import { type FastifyBodyParser, type FastifyInstance } from 'fastify';

/** An error Fastify answers with this status. */
export function unreadable(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode });
}

/**
 * Parses a JSON body that is really UTF-8: bytes that are none would become U+FFFD, be recorded so, and make two
 * requests one. Fastify's own parser, which refuses `__proto__`, does the rest.
 */
export function readJson(fastify: Pick<FastifyInstance, 'getDefaultJsonParser'>): FastifyBodyParser<Buffer> {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  return (request, body, done) => {
    const charset = /charset="?([^";]+)/i.exec(request.headers['content-type'] ?? '')?.[1]?.trim().toLowerCase();
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
      return done(unreadable(415, `charset ${charset} is not UTF-8`));
    }
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
      return done(unreadable(415, 'Content-Encoding is not supported'));
    }
    if (!isUtf8(body)) return done(unreadable(400, 'Body is not valid UTF-8'));
    return parse(request, body.toString('utf8'), done);
  };
}
