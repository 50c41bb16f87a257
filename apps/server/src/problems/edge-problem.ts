import { type FieldError } from './problem.js';

/** Problems of a request that never became a command. */
export const edgeProblems = {
  'request-invalid': { status: 400, title: 'The request is not valid' },
  'cursor-of-another-list': { status: 400, title: 'The cursor belongs to another list' },
  'config-space-unreadable': { status: 400, title: 'The config space cannot be read' },
  'request-unreadable': { status: 400, title: 'The request is not readable HTTP' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  'idempotency-key-missing': { status: 400, title: 'The Idempotency-Key header is missing' },
  'body-malformed': { status: 400, title: 'The body is not JSON' },
  'not-found': { status: 404, title: 'No such resource' },
  'not-acceptable': { status: 406, title: 'No representation is acceptable' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'media-type-unsupported': { status: 415, title: 'The media type is not supported' },
  'internal-error': { status: 500, title: 'The server failed' },
  'not-ready': { status: 503, title: 'The ledger does not take writes' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type EdgeCode = keyof typeof edgeProblems;

/** Thrown at the edge, before anything was read or decided; the problem filter turns it into its answer. */
export class EdgeProblem extends Error {
  constructor(readonly code: EdgeCode, detail: string, readonly errors: readonly FieldError[] = []) {
    super(detail);
    this.name = 'EdgeProblem';
  }

  /** A single wrong field. */
  static field(pointer: string, value: unknown, limit: string, detail = 'not valid'): EdgeProblem {
    return new EdgeProblem('request-invalid', `${pointer || 'the request'}: ${detail}; allowed is ${limit}`, [
      { pointer, detail, value, limit },
    ]);
  }
}
