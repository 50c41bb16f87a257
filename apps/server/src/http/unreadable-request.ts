import { type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type EdgeCode, edgeProblems } from '../problems/edge-problem.js';
import { type Problem } from '../problems/problem.js';
import { traceIdOf } from './trace-id.js';

function problem(code: EdgeCode, detail: string, traceId: string): Problem {
  return { type: `/problems/${code}`, traceId, ...edgeProblems[code], detail, code, outcome: 'none' };
}

/** Answers what Fastify cannot route, for example a path that is not percent-encoded. */
export function answerUnreadable(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const told = problem('request-unreadable', error.message, traceIdOf(request));
  void reply.status(told.status).header('content-type', 'application/problem+json').send(JSON.stringify(told));
}

/** Answers what Node cannot even read as a request, and hangs up. */
export function answerUnreadableSocket(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request-timeout' : 'request-unreadable';
  const told = problem(code, error.message, randomUUID().replaceAll('-', ''));
  const body = JSON.stringify(told);
  const head = [
    `HTTP/1.1 ${told.status} ${code === 'request-timeout' ? 'Request Timeout' : 'Bad Request'}`,
    'Content-Type: application/problem+json', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
