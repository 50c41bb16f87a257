/** What was changed: the `data`, or the `envelope` of position, stream, revision, id, type and hash around it. */
export type CorruptPart = 'data' | 'envelope';

/** Thrown instead of serving an event that is not what was written. Names the event as the store holds it now. */
export class CorruptEvent extends Error {
  override readonly name = 'CorruptEvent';
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly part: CorruptPart;
  /** The hash that was stored when the event was written. */
  readonly expectedSha256: string;
  /** The hash of what is there now. */
  readonly actualSha256: string;

  constructor(
    where: { readonly position: number; readonly stream: string; readonly revision: number },
    part: CorruptPart,
    sha256: { readonly expected: string; readonly actual: string },
  ) {
    super(`The ${part} of event ${where.position} (${where.stream} at revision ${where.revision}) was changed: `
      + `SHA-256 is ${sha256.actual}, and was ${sha256.expected} when it was written`);
    this.position = where.position;
    this.stream = where.stream;
    this.revision = where.revision;
    this.part = part;
    this.expectedSha256 = sha256.expected;
    this.actualSha256 = sha256.actual;
  }
}
