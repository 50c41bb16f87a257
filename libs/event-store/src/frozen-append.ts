import { assertEventData, dataBytesOf } from './event-data.js';
import { assertEventType } from './event-type.js';
import { type NewEvent } from './new-event.js';
import { sha256Hex } from './sha256-hex.js';
import { appendBytesMax, eventsPerAppendMax, streamsPerAppendMax } from './store-limits.js';
import { type StreamAppend } from './stream-append.js';

/** An event on its way into a store: the store's own copy, and hashed. */
export interface FrozenEvent extends NewEvent {
  readonly sha256: string;
}

/** A `StreamAppend` on its way into a store. */
export interface FrozenAppend extends StreamAppend {
  readonly events: readonly FrozenEvent[];
}

/**
 * The door through which every store lets a batch in: copies it and hashes the data at once, so that nothing the
 * caller does to its own objects later can reach the log. Throws on what only a bug can ask for: no streams, no events
 * in any of them, a stream or an id named twice, something that is no event type or data, and more of anything than
 * `store-limits.ts` allows.
 */
export function freezeBatch(batch: readonly StreamAppend[]): readonly FrozenAppend[] {
  assertSize('streams in one append', batch.length, streamsPerAppendMax);
  assertUnique('stream', batch.map(({ stream }) => stream));
  const events = batch.flatMap((append) => append.events);
  assertSize('events in one append', events.length, eventsPerAppendMax);
  assertUnique('event id', events.map(({ id }) => id));
  for (const { type, data } of events) {
    assertEventType(type);
    assertEventData(data);
  }
  assertAtMost('bytes in one append', dataBytesOf(events), appendBytesMax);

  return batch.map((append) => ({
    stream: append.stream,
    expectedRevision: append.expectedRevision,
    events: append.events.map(freezeEvent),
  }));
}

function freezeEvent({ id, type, data }: NewEvent): FrozenEvent {
  return { id, type, data, sha256: sha256Hex(data) };
}

function assertSize(what: string, given: number, max: number): void {
  if (given === 0) throw new RangeError(`Too few ${what}: none`);
  assertAtMost(what, given, max);
}

function assertAtMost(what: string, given: number, max: number): void {
  if (given > max) throw new RangeError(`Too many ${what}: ${given} of at most ${max}`);
}

function assertUnique(what: string, given: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of given) {
    if (seen.has(name)) throw new RangeError(`The ${what} ${name} is named twice in one append`);
    seen.add(name);
  }
}
