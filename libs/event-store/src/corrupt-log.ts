/** Thrown instead of serving a sequence from which an event was lost, or into which one was put. */
export class CorruptLog extends Error {
  override readonly name = 'CorruptLog';
  /** `positions` of the whole log, or the name of the stream whose revisions they are. */
  readonly sequence: string;
  readonly expected: number | 'end';
  readonly found: number | 'end';

  constructor(sequence: string, expected: number | 'end', found: number | 'end', options?: ErrorOptions) {
    super(`The log is damaged: in the sequence of ${sequence}, ${expected} is due and ${found} is there`, options);
    this.sequence = sequence;
    this.expected = expected;
    this.found = found;
  }
}
