import { CorruptEvent } from './corrupt-event.js';
import { CorruptLog } from './corrupt-log.js';
import { type RecordedEvent } from './recorded-event.js';
import { sha256Hex } from './sha256-hex.js';
import { pageBytesMax } from './store-limits.js';

/** The events a page is made of, as they came out of the store. */
export interface EventRun {
  readonly events: readonly RecordedEvent[];
  /** True when the store had no more; false when the page was full before. */
  readonly exhausted: boolean;
}

/** Takes as many of `rows` as one page may hold: `limit` events, or `pageBytesMax` bytes. */
export function takeRun(rows: Iterable<RecordedEvent>, limit: number): EventRun {
  const events: RecordedEvent[] = [];
  let bytes = 0;
  for (const event of rows) {
    bytes += event.data.byteLength;
    if (events.length > 0 && bytes > pageBytesMax) return { events, exhausted: false };
    events.push(event);
    if (events.length === limit) return { events, exhausted: false };
  }
  return { events, exhausted: true };
}

/**
 * Throws `CorruptEvent` or `CorruptLog` unless the run is exactly what was written: every event has its hash,
 * `numberOf` counts up from `first` without a gap, and a run that is exhausted reaches `last` (-1: there is none).
 */
export function assertIntact(
  run: EventRun,
  sequence: string,
  numberOf: (event: RecordedEvent) => number,
  { first, last }: { readonly first: number; readonly last: number },
): void {
  let due = first;
  for (const event of run.events) {
    const found = numberOf(event);
    if (found !== due || due > last) throw new CorruptLog(sequence, due > last ? 'end' : due, found);
    assertUnchanged(event);
    due += 1;
  }
  if (run.exhausted && due <= last) throw new CorruptLog(sequence, due, 'end');
}

/** Throws `CorruptEvent` unless the bytes of `event` are those that were written. */
export function assertUnchanged(event: RecordedEvent): void {
  const actual = sha256Hex(event.data);
  if (actual !== event.sha256) throw new CorruptEvent(event, 'data', { expected: event.sha256, actual });
}
