import { Position } from '@cadastre/event-store';

/** A moment of the log as people name it: behind an event, or at a time, in milliseconds since 1970. */
export type Moment =
  | { readonly kind: 'position'; readonly position: Position }
  | { readonly kind: 'instant'; readonly instant: number };

const positionPattern = /^\d{1,15}$/;
/** UTC, ISO 8601, as precise as events are recorded: milliseconds. */
const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/;

export const Moment = {
  /** What a moment may be, in words. */
  limit: 'a position, or an instant in UTC as 2026-11-23T17:00:00.000Z',

  /** Undefined for what is neither a position nor an instant that the calendar has. */
  from(given: string): Moment | undefined {
    if (positionPattern.test(given)) return { kind: 'position', position: Position.from(Number(given)) };
    const instant = instantPattern.test(given) ? Date.parse(given) : Number.NaN;
    // Date.parse takes 30 February for 2 March.
    const isReal = !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(given.slice(0, 16));
    return isReal ? { kind: 'instant', instant } : undefined;
  },
};
