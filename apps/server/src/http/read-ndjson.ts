import { isUtf8 } from 'node:buffer';
import { type FastifyBodyParser, type onRequestHookHandler } from 'fastify';
import { bundleBytesMax } from '@cadastre/lifecycle';
import { bodyBytesMax } from './body-limit.js';
import { unreadable } from './read-json.js';

export const ndjson = 'application/x-ndjson';

/** A bundle as large as one may be, behind a first line as large as another body. */
export const linesBytesMax = bundleBytesMax + bodyBytesMax;

/** Routes that take lines of JSON, by the end of their path: no other must be sent so much. */
const takesLines = /\/imports$/;

/** Refuses lines of JSON where none are taken before anything of them is kept: they may be so many. */
export const refuseLinesElsewhere: onRequestHookHandler = (request, _reply, done) => {
  const isLines = request.headers['content-type']?.toLowerCase().startsWith(ndjson) === true;
  if (isLines && !takesLines.test(request.routeOptions.url ?? '')) done(unreadable(415, 'this route takes no lines'));
  else done();
};

/** Hands lines of JSON over as they are; who reads them says which line is wrong. */
export const readNdjson: FastifyBodyParser<Buffer> = (_request, body, done) => {
  if (!isUtf8(body)) return done(unreadable(400, 'Body is not valid UTF-8'));
  return done(null, body.toString('utf8'));
};
