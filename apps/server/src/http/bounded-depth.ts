import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { EdgeProblem } from '../problems/edge-problem.js';

/** No request of ours is nested deeper than 4; validation recurses, so deeper ones must not reach it. */
export const depthMax = 16;

/** Refuses a body that is nested deeper than anything could mean. */
@Injectable()
export class BoundedDepth implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    let level = [body].filter(isNest);
    for (let depth = 1; level.length > 0; depth += 1) {
      if (depth > depthMax) {
        throw EdgeProblem.field('', `over ${depthMax} levels`, `${depthMax} levels`, 'the body is nested too deep');
      }
      level = level.flatMap((one) => Object.values(one)).filter(isNest);
    }
    return true;
  }
}

function isNest(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
