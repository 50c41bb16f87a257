import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ROUTE_ARGS_METADATA, RouteParamtypes } from '@nestjs/common/internal';
import { type FastifyRequest } from 'fastify';
import { EdgeProblem } from '../problems/edge-problem.js';

/**
 * Refuses fields in the body of a route that takes none: whoever sends them expects an effect. Which routes those are
 * is read from their handlers, so that none can be forgotten; `{}` and `null` say nothing and pass.
 */
@Injectable()
export class NoBody implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (body === undefined || body === null || takesBody(context)) return true;
    if (typeof body !== 'object' || Array.isArray(body)) {
      throw EdgeProblem.field('', typeof body, 'no body', 'this route takes none');
    }
    const [name] = Object.keys(body);
    if (name === undefined) return true;
    throw EdgeProblem.field(`/${name}`, null, 'no field', 'unknown field: this route takes none');
  }
}

/** Nest keeps a handler's parameters under keys of their kind and place: `3:2` is a body, third of all. */
function takesBody(context: ExecutionContext): boolean {
  const parameters = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), context.getHandler().name) as
    Readonly<Record<string, unknown>> | undefined;
  return Object.keys(parameters ?? {}).some((key) => key.startsWith(`${RouteParamtypes.BODY}:`));
}
