import { CorruptLog } from './corrupt-log.js';
import { type RecordedEvent } from './recorded-event.js';
import { pageBytesMax } from './store-limits.js';

/** What a page is made of, as it came out of the store. */
export interface Run<Item> {
  readonly items: readonly Item[];
  /** True when the store had no more; false when the page was full before. */
  readonly exhausted: boolean;
}

/**
 * Takes as many of `from` as one page may hold: `limit` events, or `pageBytesMax` bytes of data, `before` of which are
 * in it already. An event that is too large for any page has one to itself.
 */
export function takeRun<Item>(
  from: Iterable<Item>, limit: number, bytesOf: (item: Item) => number, before = 0,
): Run<Item> {
  const items: Item[] = [];
  let bytes = before;
  for (const item of from) {
    bytes += bytesOf(item);
    if (before + items.length > 0 && bytes > pageBytesMax) return { items, exhausted: false };
    items.push(item);
    if (items.length === limit) return { items, exhausted: false };
  }
  return { items, exhausted: true };
}

/**
 * Throws `CorruptLog` unless the run is all that was written: `numberOf` counts up from `first` without a gap, and a
 * run that is exhausted reaches `last` (-1: there is none).
 */
export function assertComplete(
  run: Run<RecordedEvent>,
  sequence: string,
  numberOf: (event: RecordedEvent) => number,
  { first, last }: { readonly first: number; readonly last: number },
): void {
  let due = first;
  for (const event of run.items) {
    const found = numberOf(event);
    if (found !== due || due > last) throw new CorruptLog(sequence, due > last ? 'end' : due, found);
    due += 1;
  }
  if (run.exhausted && due <= last) throw new CorruptLog(sequence, due, 'end');
}
