import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { EdgeProblem } from '../problems/edge-problem.js';

const metadataKey = 'cadastre:query-parameters';

/** Names the query parameters a route knows. */
export const QueryParameters = (...names: readonly string[]): MethodDecorator => SetMetadata(metadataKey, names);

/** Those a route knows. */
export function queryParametersOf(handler: object): readonly string[] {
  return Reflect.getMetadata(metadataKey, handler) as readonly string[] | undefined ?? [];
}

/** Refuses query parameters a route does not know: `?at=3` must not be taken for an answer about then. */
@Injectable()
export class KnownQueryParameters implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const known = queryParametersOf(context.getHandler());
    const { query } = context.switchToHttp().getRequest<FastifyRequest>();
    for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
      if (known.includes(name)) continue;
      throw EdgeProblem.field(`/${name}`, value, known.join(', ') || 'no query parameter', 'unknown query parameter');
    }
    return true;
  }
}
