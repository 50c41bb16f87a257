/** What the caller may conclude about the write it asked for. */
export type WriteOutcome = 'none' | 'unknown' | 'stored';

/** One wrong field: where it is (JSON Pointer, RFC 6901), what was given, what is allowed. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
  readonly value?: unknown;
  readonly limit?: string;
}

/** A problem as it leaves the server. RFC 9457, "Members of a Problem Details Object". */
export interface Problem {
  /** The page that explains it: `/problems/<code>`, served by this server, written in docs/problems. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly traceId: string;
  readonly outcome: WriteOutcome;
  readonly errors?: readonly FieldError[];
  /** Every number the decision rested on. */
  readonly refusal?: unknown;
}
