import { appended, decideAppend } from './append-decision.js';
import { type AppendOutcome } from './append-outcome.js';
import { type EventId } from './event-id.js';
import { dataBytes } from './event-data.js';
import { takeRun } from './event-run.js';
import { type EventStore, type ReadAllOptions, type ReadStreamOptions, type StoreHealth } from './event-store.js';
import { type ExpectedRevision } from './expected-revision.js';
import { freezeBatch, type FrozenAppend } from './frozen-append.js';
import { LogPage } from './log-page.js';
import { Position } from './position.js';
import { type RecordedEvent } from './recorded-event.js';
import { StoreClosed } from './store-closed.js';
import { pageLimit } from './store-limits.js';
import { type StreamAppend } from './stream-append.js';
import { type StreamName } from './stream-name.js';
import { StreamPage } from './stream-page.js';
import { StreamRevision } from './stream-revision.js';

/** The log in plain arrays: for tests and for a look around. Everything is gone with the process. */
export class MemoryEventStore implements EventStore {
  readonly #log: RecordedEvent[] = [];
  readonly #streams = new Map<StreamName, RecordedEvent[]>();
  readonly #byId = new Map<EventId, RecordedEvent>();
  #closed = false;

  append(batch: readonly StreamAppend[]): Promise<AppendOutcome> {
    return this.#answer(() => {
      const frozen = freezeBatch(batch);
      const decision = decideAppend(frozen, {
        envelopeOf: (id) => this.#byId.get(id),
        revisionOf: (stream) => this.#revisionOf(stream),
      });
      return decision.kind === 'write' ? appended(frozen, this.#write(frozen), false) : decision;
    });
  }

  readStream(stream: StreamName, options: ReadStreamOptions = {}): Promise<StreamPage> {
    return this.#answer(() => {
      const from = options.from ?? StreamRevision.from(0);
      const run = takeRun(copies(this.#streams.get(stream) ?? [], from), pageLimit(options.limit), sizeOf);
      return StreamPage.complete(stream, from, run, this.#revisionOf(stream));
    });
  }

  readAll(options: ReadAllOptions = {}): Promise<LogPage> {
    return this.#answer(() => {
      const after = options.after ?? 'start';
      const run = takeRun(copies(this.#log, after === 'start' ? 0 : after + 1), pageLimit(options.limit), sizeOf);
      return LogPage.complete(after, run, this.#log.at(-1)?.position ?? 'empty');
    });
  }

  findEvent(id: EventId): Promise<RecordedEvent | undefined> {
    return this.#answer(() => {
      const event = this.#byId.get(id);
      return event && { ...event };
    });
  }

  check(): Promise<StoreHealth> {
    return Promise.resolve(this.#closed ? { writable: false, reason: 'the store is closed' } : { writable: true });
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #write(batch: readonly FrozenAppend[]): Position {
    for (const { stream, expectedRevision, events } of batch.filter((append) => append.events.length > 0)) {
      const log = this.#streams.get(stream) ?? [];
      this.#streams.set(stream, log);
      for (const [index, event] of events.entries()) {
        const position = Position.from(this.#log.length);
        const recorded = { ...event, position, stream, revision: StreamRevision.after(expectedRevision, index + 1) };
        this.#log.push(recorded);
        log.push(recorded);
        this.#byId.set(event.id, recorded);
      }
    }
    return Position.from(this.#log.length - 1);
  }

  #revisionOf(stream: StreamName): ExpectedRevision {
    return this.#streams.get(stream)?.at(-1)?.revision ?? 'no-stream';
  }

  // What `work` throws becomes a rejection, as it would be with a store that has to wait for its answer.
  #answer<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (this.#closed) throw new StoreClosed();
      resolve(work());
    });
  }
}

// Copies on the way out too: the log must not change when a reader writes into what it was given.
function* copies(events: readonly RecordedEvent[], first: number): Iterable<RecordedEvent> {
  for (let index = first; index < events.length; index += 1) yield { ...events[index] as RecordedEvent };
}

function sizeOf({ data }: RecordedEvent): number {
  return dataBytes(data);
}
