import { type AppendOutcome } from './append-outcome.js';
import { type EventId } from './event-id.js';
import { type LogPage } from './log-page.js';
import { type Position } from './position.js';
import { type RecordedEvent } from './recorded-event.js';
import { type StreamAppend } from './stream-append.js';
import { type StreamName } from './stream-name.js';
import { type StreamPage } from './stream-page.js';
import { type StreamRevision } from './stream-revision.js';

export interface ReadStreamOptions {
  /** The first revision wanted; from the beginning when absent. */
  readonly from?: StreamRevision;
  /** At most so many events, 1 to `pageSizeMax`; `pageSizeMax` when absent. A page of large events holds fewer. */
  readonly limit?: number;
}

export interface ReadAllOptions {
  /** The position behind which to begin: that of the last event seen; `'start'` when absent. */
  readonly after?: Position | 'start';
  /** At most so many events, 1 to `pageSizeMax`; `pageSizeMax` when absent. A page of large events holds fewer. */
  readonly limit?: number;
}

/** Whether a store takes appends, and why not. */
export type StoreHealth = { readonly writable: true } | { readonly writable: false; readonly reason: string };

/**
 * The log: streams of events in one total order that only ever grows. Whatever keeps it, `describeEventStore` of
 * `@cadastre/event-store/testing` says what it must hold to.
 *
 * A read never serves what was not written: it rejects with `CorruptEvent` or `CorruptLog`, which name the place.
 * After `close` everything but `check` and `close` rejects with `StoreClosed`.
 */
export interface EventStore {
  /**
   * Writes all events of the batch, at contiguous positions in the order given, or none. Does not answer `appended`
   * before they are on stable storage. The same batch again, at any later time, gets the same answer with
   * `again: true` and writes nothing. Rejects with `RangeError` on a batch that `freezeBatch` refuses, and with
   * `CorruptEvent` when the event that has one of its ids already is damaged; then too nothing is written.
   */
  append(batch: readonly StreamAppend[]): Promise<AppendOutcome>;

  /** Reads one stream, oldest event first. A stream that was not begun is an empty page at `'no-stream'`. */
  readStream(stream: StreamName, options?: ReadStreamOptions): Promise<StreamPage>;

  /** Reads the log in its one order. What stood before a position is the same for ever. */
  readAll(options?: ReadAllOptions): Promise<LogPage>;

  /** The event with this id, if there is one: how a repeated idempotency key finds what it did. */
  findEvent(id: EventId): Promise<RecordedEvent | undefined>;

  /** Whether the store takes appends. Never rejects. */
  check(): Promise<StoreHealth>;

  /** Answers the appends that were handed over before, then lets go of everything it holds. Again: does nothing. */
  close(): Promise<void>;
}
