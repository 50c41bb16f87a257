import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { namePattern } from '@cadastre/lifecycle';
import { type FastifyRequest } from 'fastify';
import { EdgeProblem } from '../problems/edge-problem.js';
import { memberPointer } from './member-pointer.js';

/** No request of ours is nested deeper than 4; validation recurses, so deeper ones must not reach it. */
export const depthMax = 16;

const metadataKey = 'cadastre:named-by-ids';

/**
 * Points to objects in the body of a route whose members are named by ids: `constructor` is one. Their fields have to
 * be `IsNamedByIds`, and so reach validation as they came.
 */
export const NamedByIds = (...pointers: readonly string[]): MethodDecorator => SetMetadata(metadataKey, pointers);

interface Nest {
  readonly pointer: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/**
 * Refuses a body before validation looks at it: one nested deeper than anything could mean, and one with a member that
 * every object has anyway (`toString`), which validation would not see, or would take for a class (`constructor`).
 */
@Injectable()
export class SoundBody implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const namedByIds = Reflect.getMetadata(metadataKey, context.getHandler()) as readonly string[] | undefined ?? [];
    assertSoundBody(context.switchToHttp().getRequest<FastifyRequest>().body, namedByIds);
    return true;
  }
}

/**
 * Throws the problem of a body that must not reach validation.
 * @param namedByIds pointers to objects whose members are named by ids
 */
export function assertSoundBody(body: unknown, namedByIds: readonly string[]): void {
  let level = isNest(body) ? [{ pointer: '', value: body }] : [];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > depthMax) {
      throw EdgeProblem.field('', `over ${depthMax} levels`, `${depthMax} levels`, 'the body is nested too deep');
    }
    level = level.flatMap((nest) => nestsIn(nest, namedByIds.includes(nest.pointer)));
  }
}

/** The objects and lists among the members of an object. The body itself has the pointer "". */
function nestsIn({ pointer: parent, value: object }: Nest, isNamedByIds: boolean): readonly Nest[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const pointer = memberPointer(parent, name);
    // No id is `__proto__`: ids begin with a letter or a digit.
    if (name in Object.prototype && !(isNamedByIds && namePattern.test(name))) {
      throw EdgeProblem.field(pointer, name, 'the fields of the API', 'unknown field');
    }
    return isNest(value) ? [{ pointer, value }] : [];
  });
}

function isNest(value: unknown): value is Nest['value'] {
  return typeof value === 'object' && value !== null;
}
