import { type QueryBus } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { FindMoment, Moment } from '@cadastre/ledger';
import { type FastifyReply } from 'fastify';
import { EdgeProblem } from '../problems/edge-problem.js';
import { Refused } from '../problems/refused.js';

/**
 * The position `?at=` leads to, which the reply then carries as `Cadastre-Position`; null when there is none and the
 * present is meant. Refuses what is neither a position nor an instant, and what is still to come.
 */
export async function asOf(at: unknown, queries: QueryBus, reply: FastifyReply): Promise<Position | null> {
  if (at === undefined) return null;
  const moment = await queries.execute(new FindMoment(momentOf(at)));
  if (moment.kind === 'refused') throw new Refused(moment.refusal);
  void reply.header('cadastre-position', String(moment.position));
  return moment.position;
}

function momentOf(at: unknown): Moment {
  const moment = typeof at === 'string' ? Moment.from(at) : undefined;
  if (moment) return moment;
  const shown = typeof at === 'string' ? at.slice(0, 80) : at;
  throw EdgeProblem.field('/at', shown, Moment.limit, 'not a moment of the log');
}
