import { canonicalJson, Digest } from '@cadastre/device-layout';
import { type RequestIdentity } from '@cadastre/ledger';
import { type FastifyRequest } from 'fastify';
import { EdgeProblem } from '../problems/edge-problem.js';

/** Printable ASCII, as header fields are; long enough for any UUID, ULID or URN. */
const keyPattern = /^[\x21-\x7e]{1,200}$/;

/**
 * What makes this request this request: its idempotency key, and a digest of method, path, preconditions and body.
 * Refuses a write without a key, and a body that has no canonical form.
 */
export function requestIdentity(request: FastifyRequest): RequestIdentity {
  const given = request.headers['idempotency-key'];
  if (given === undefined) {
    throw new EdgeProblem('idempotency-key-missing',
      `every ${request.method} that records needs an Idempotency-Key header (a fresh UUID will do), so that a retry `
        + 'has one effect',
      [{ pointer: '', detail: 'header Idempotency-Key is missing', limit: '1 to 200 printable characters' }]);
  }
  if (typeof given !== 'string' || !keyPattern.test(given)) {
    throw EdgeProblem.field('', String(given).slice(0, 80), '1 to 200 printable ASCII characters without spaces',
      'header Idempotency-Key');
  }
  const { method, url, headers, body } = request;
  return { idempotencyKey: given, requestDigest: digestOf({
    method, path: url, body: body ?? null,
    ifMatch: headers['if-match'] ?? null, ifNoneMatch: headers['if-none-match'] ?? null,
  }) };
}

function digestOf(request: unknown): Digest {
  try {
    return Digest.of(canonicalJson(request));
  } catch (error) {
    if (error instanceof TypeError) throw EdgeProblem.field('', error.message, 'canonical JSON', 'the body');
    throw error;
  }
}
