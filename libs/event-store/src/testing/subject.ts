import { type AppendOutcome, type Appended } from '../append-outcome.js';
import { EventId } from '../event-id.js';
import { type EventStore } from '../event-store.js';
import { type NewEvent } from '../new-event.js';
import { type RecordedEvent } from '../recorded-event.js';
import { type StreamAppend } from '../stream-append.js';
import { StreamName } from '../stream-name.js';
import { StreamRevision } from '../stream-revision.js';

/** The store under test, and how to get another one of its kind. */
export interface Subject {
  /** The empty store of the current test; closed when the test is over. */
  readonly store: EventStore;
  /** A further empty store; closed when the test is over. */
  fresh(): Promise<EventStore>;
}

/** For tests that take a second on an idle machine with a slow disk; a busy one may need ten times that. */
export const patienceMs = 60_000;

/** A suite of promises: declares its tests with jest's `describe` and `it`. */
export type Promises = (subject: Subject) => void;

export const attachedFunction = StreamName.from('function-hostA/0000:3b:00.1');
export const attachedDevice = StreamName.from('device-vm1/gpu0');

export const first = StreamRevision.from(0);

/** An event whose id follows from `key` and `index`, with data that is its own unless given. */
export function event(key: string, index = 0, data = JSON.stringify({ key, index })): NewEvent {
  return { id: EventId.derive(key, index), type: 'DeviceAttached', data };
}

/** An append of one event to one stream. */
export function one(stream: StreamName, expectedRevision: StreamAppend['expectedRevision'], key: string): StreamAppend {
  return { stream, expectedRevision, events: [event(key)] };
}

/** What an append is told that must succeed; anything else fails the test with what it was told instead. */
export async function expectAppended(outcome: Promise<AppendOutcome>): Promise<Appended> {
  const told = await outcome;
  if (told.kind !== 'appended') throw new Error(`Not appended: ${JSON.stringify(told)}`);
  return told;
}

/** The whole log, read page by page. */
export async function wholeLog(store: EventStore, limit?: number): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (;;) {
    const after = events.at(-1)?.position ?? 'start';
    const page = await store.readAll(limit === undefined ? { after } : { after, limit });
    events.push(...page.events);
    if (page.head === 'empty' || events.at(-1)?.position === page.head) return events;
  }
}

/** The whole stream, read page by page. */
export async function wholeStream(
  store: EventStore, stream: StreamName, limit?: number,
): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (;;) {
    const from = StreamRevision.from(events.length);
    const page = await store.readStream(stream, limit === undefined ? { from } : { from, limit });
    events.push(...page.events);
    if (page.endOfStream) return events;
  }
}
