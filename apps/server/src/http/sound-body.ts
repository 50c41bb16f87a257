import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { EdgeProblem } from '../problems/edge-problem.js';

/** No request of ours is nested deeper than 4; validation recurses, so deeper ones must not reach it. */
export const depthMax = 16;

interface Nest {
  readonly pointer: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/**
 * Refuses a body before validation looks at it: one nested deeper than anything could mean, and one with a member that
 * every object has anyway (`toString`), which validation would not see.
 */
@Injectable()
export class SoundBody implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    assertSoundBody(context.switchToHttp().getRequest<FastifyRequest>().body);
    return true;
  }
}

/** Throws the problem of a body that must not reach validation. */
export function assertSoundBody(body: unknown): void {
  let level = nestsIn('', { body });
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > depthMax) {
      throw EdgeProblem.field('', `over ${depthMax} levels`, `${depthMax} levels`, 'the body is nested too deep');
    }
    level = level.flatMap(({ pointer, value }) => nestsIn(pointer, value));
  }
}

/** The objects and lists among the members of an object. The body itself has the pointer "". */
function nestsIn(parent: string, object: Readonly<Record<string, unknown>>): readonly Nest[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const pointer = name === 'body' && parent === '' ? '' : `${parent}/${name}`;
    if (name in Object.prototype) throw EdgeProblem.field(pointer, name, 'the fields of the API', 'unknown field');
    return typeof value === 'object' && value !== null ? [{ pointer, value: value as Nest['value'] }] : [];
  });
}
