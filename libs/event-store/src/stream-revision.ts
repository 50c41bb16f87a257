import { type Branded } from './branded.js';
import { type ExpectedRevision } from './expected-revision.js';

/** The 0-based place of an event in its stream; as the revision of a stream, that of its newest event. */
export type StreamRevision = Branded<number, 'StreamRevision'>;
export const StreamRevision = {
  /** Whether `given` is a revision: for the edge, where a wrong one is the client's mistake. */
  is(given: number): given is StreamRevision {
    return Number.isSafeInteger(given) && given >= 0;
  },

  /** Throws on anything else than a safe integer from 0. */
  from(given: number): StreamRevision {
    if (StreamRevision.is(given)) return given;
    throw new RangeError(`Not a stream revision: ${given}`);
  },

  /** The revision of a stream at `expected` once `count` more events are in it; `count` is at least 1. */
  after(expected: ExpectedRevision, count = 1): StreamRevision {
    return StreamRevision.from(expected === 'no-stream' ? count - 1 : expected + count);
  },
};
