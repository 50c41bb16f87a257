import { assertComplete, type Run } from './event-run.js';
import { type Position } from './position.js';
import { type RecordedEvent } from './recorded-event.js';

/** A piece of the whole log, in the order of its positions. */
export interface LogPage {
  readonly events: readonly RecordedEvent[];
  /** The newest position when the page was read: there is more as long as the last of `events` is before it. */
  readonly head: Position | 'empty';
}
export const LogPage = {
  /** Throws `CorruptLog` unless `run` is all that the log holds behind `after`. */
  complete(after: Position | 'start', run: Run<RecordedEvent>, head: Position | 'empty'): LogPage {
    const last = head === 'empty' ? -1 : head;
    const first = after === 'start' ? 0 : after + 1;
    assertComplete(run, 'positions', (event) => event.position, { first, last });
    return { events: run.items, head };
  },
};
