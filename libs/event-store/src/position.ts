import { type Branded } from './branded.js';

/** The 0-based place of an event in the one order of the whole log: contiguous, never reused, never moved. */
export type Position = Branded<number, 'Position'>;
export const Position = {
  /** Whether `given` is a position: for the edge, where a wrong one is the client's mistake. */
  is(given: number): given is Position {
    return Number.isSafeInteger(given) && given >= 0;
  },

  /** Throws on anything else than a safe integer from 0. */
  from(given: number): Position {
    if (Position.is(given)) return given;
    throw new RangeError(`Not a position: ${given}`);
  },
};
