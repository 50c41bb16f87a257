import { CorruptEvent } from './corrupt-event.js';
import { CorruptLog } from './corrupt-log.js';
import { type RecordedEvent } from './recorded-event.js';
import { sha256Hex } from './sha256-hex.js';
import { pageBytesMax } from './store-limits.js';

/** What a page is made of, as it came out of the store. */
export interface Run<Item> {
  readonly items: readonly Item[];
  /** True when the store had no more; false when the page was full before. */
  readonly exhausted: boolean;
}

/** Takes as many of `from` as one page may hold: `limit` events, or `pageBytesMax` bytes of data. */
export function takeRun<Item>(from: Iterable<Item>, limit: number, bytesOf: (item: Item) => number): Run<Item> {
  const items: Item[] = [];
  let bytes = 0;
  for (const item of from) {
    bytes += bytesOf(item);
    if (items.length > 0 && bytes > pageBytesMax) return { items, exhausted: false };
    items.push(item);
    if (items.length === limit) return { items, exhausted: false };
  }
  return { items, exhausted: true };
}

/**
 * Throws `CorruptEvent` or `CorruptLog` unless the run is exactly what was written: every event has its hash,
 * `numberOf` counts up from `first` without a gap, and a run that is exhausted reaches `last` (-1: there is none).
 */
export function assertIntact(
  run: Run<RecordedEvent>,
  sequence: string,
  numberOf: (event: RecordedEvent) => number,
  { first, last }: { readonly first: number; readonly last: number },
): void {
  let due = first;
  for (const event of run.items) {
    const found = numberOf(event);
    if (found !== due || due > last) throw new CorruptLog(sequence, due > last ? 'end' : due, found);
    assertUnchanged(event);
    due += 1;
  }
  if (run.exhausted && due <= last) throw new CorruptLog(sequence, due, 'end');
}

/** Throws `CorruptEvent` unless the data of `event` is what was written. */
export function assertUnchanged(event: RecordedEvent): void {
  const actual = sha256Hex(event.data);
  if (actual !== event.sha256) throw new CorruptEvent(event, 'data', { expected: event.sha256, actual });
}
