import { CommandFailed, exitCode } from '../exit-code.js';
import { messageOf, systemErrorCode } from '../system-error.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

interface ProblemBody {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly outcome: string;
}

/** No request to a ledger takes longer than its own group commit; a minute means it is gone. */
const timeoutMs = 60_000;

/** The HTTP API as the CLI uses it. Every problem becomes a `CommandFailed` with its exit code. */
export class LedgerClient {
  constructor(private readonly url: string) {}

  async get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  async post(path: string, idempotencyKey: string, body: unknown): Promise<Answer> {
    return this.send('POST', path, JSON.stringify(body),
      { 'idempotency-key': idempotencyKey, 'content-type': 'application/json' });
  }

  /** Lines of JSON, as they are. */
  async postLines(path: string, idempotencyKey: string, lines: string): Promise<Answer> {
    return this.send('POST', path, lines,
      { 'idempotency-key': idempotencyKey, 'content-type': 'application/x-ndjson' });
  }

  private async send(
    method: string, path: string, body?: string, headers: Record<string, string> = {},
  ): Promise<Answer> {
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(timeoutMs) };
    if (body !== undefined) init.body = body;
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.url.replace(/\/+$/, '') + path, init);
      text = await response.text();
    } catch (error) {
      // fetch says only that it failed; why is in the cause.
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      // A connection that was refused carried nothing; any other POST may have been recorded.
      const unsent = method === 'GET' || systemErrorCode(cause) === 'ECONNREFUSED';
      const key = headers['idempotency-key'];
      throw unsent ? new CommandFailed(exitCode.unavailable, `no answer from ${this.url}: ${messageOf(cause)}`)
        : new CommandFailed(exitCode.outcomeUnknown,
          `no answer from ${this.url}: ${messageOf(cause)}; it may be recorded under idempotency key ${key}`);
    }
    if (response.headers.get('cadastre-position') === null && !isProblem(response)) {
      throw new CommandFailed(exitCode.unavailable, `${this.url} answers ${response.status}, but is no ledger`);
    }
    const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
    const answer: unknown = isJson ? JSON.parse(text) : text;
    if (!response.ok) throw failed(answer as ProblemBody, response.status);
    return { status: response.status, headers: response.headers, body: answer };
  }
}

/** Every reply of a ledger says where its log stands, or what is wrong. */
function isProblem(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/problem+json') === true;
}

function failed(problem: ProblemBody, status: number): CommandFailed {
  const text = `${status} ${problem.title ?? 'error'}: ${problem.detail ?? ''} [${problem.code ?? '?'}]`;
  if (problem.outcome === 'unknown') return new CommandFailed(exitCode.outcomeUnknown, text);
  if (status === 404) return new CommandFailed(exitCode.notFound, text);
  if (status === 409 || status === 412 || status === 428) return new CommandFailed(exitCode.conflict, text);
  return new CommandFailed(status >= 500 ? exitCode.unavailable : exitCode.negative, text);
}
