import { type FastifyReply } from 'fastify';
import { entityTag } from './precondition-header.js';

/** Headers of an answer to a recorded command: where it stands in the log, and whether it was recorded before. */
export function answerRecorded(
  reply: FastifyReply, outcome: { readonly revision: number; readonly position: number; readonly replayed: boolean },
  status: number, location: string,
): void {
  void reply.status(status)
    .header('etag', entityTag(outcome.revision))
    .header('cadastre-position', String(outcome.position))
    .header('location', location);
  if (outcome.replayed) void reply.header('idempotency-replayed', 'true');
}
