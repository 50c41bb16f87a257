/** How the process ends. Documented in docs/reference/cli.md, stable. */
export const exitCode = {
  ok: 0,
  negative: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unavailable: 6,
  outcomeUnknown: 7,
  integrityFailed: 10,
  io: 74,
} as const;

/** Ends a command with a code and a sentence for people. */
export class CommandFailed extends Error {
  constructor(readonly code: number, message: string) {
    super(message);
    this.name = 'CommandFailed';
  }
}
