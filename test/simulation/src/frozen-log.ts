import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Bdf } from '@cadastre/config-space';
import {
  EventId, type EventStore, MemoryEventStore, type RecordedEvent, StreamName, StreamRevision,
} from '@cadastre/event-store';
import { replay, StreamReader } from '@cadastre/ledger';
import { type FunctionState, HostName, MigrationId, VmId } from '@cadastre/lifecycle';
import { sure } from './world.js';

/** One stored event as a line: its position is the number of the line. */
export interface FrozenEvent {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly sha256: string;
  /** The stored bytes, as text. */
  readonly data: string;
}

const folder = new URL('../../fixtures/history-v1/', import.meta.url);
const [log, summary] = [new URL('events.ndjson', folder), new URL('expected.json', folder)];

export function readFrozenLog(): readonly FrozenEvent[] {
  return readFileSync(log, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as FrozenEvent);
}

export function readFrozenSummary(): unknown {
  return JSON.parse(readFileSync(summary, 'utf8'));
}

/** Freezes a history for good: only before a release, and only because an event had to be corrected in place. */
export async function freeze(store: EventStore): Promise<void> {
  const events = await eventsOf(store);
  const lines = events.map(({ stream, revision, id, type, sha256, data }): FrozenEvent =>
    ({ stream, revision, id, type, sha256, data }));
  mkdirSync(fileURLToPath(folder), { recursive: true });
  writeFileSync(log, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  writeFileSync(summary, `${JSON.stringify(await summaryOf(store), null, 2)}\n`);
}

/** Writes frozen events into a store, each where it was. */
export async function thaw(
  events: readonly FrozenEvent[], store: EventStore = new MemoryEventStore(),
): Promise<EventStore> {
  for (const { stream, revision, id, type, data } of events) {
    const expectedRevision = revision === 0 ? 'no-stream' : StreamRevision.from(revision - 1);
    const { kind } = await store.append([{
      stream: StreamName.from(stream), expectedRevision,
      events: [{ id: EventId.from(id), type, data }],
    }]);
    if (kind !== 'appended') throw new Error(`${stream}@${revision}: ${kind}`);
  }
  return store;
}

export async function eventsOf(store: EventStore): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (;;) {
    const last = events.at(-1);
    const page = await store.readAll(last ? { after: last.position } : {});
    if (page.events.length === 0) return events;
    events.push(...page.events);
  }
}

/** What a history comes to, in what no later version may tell otherwise. */
export async function summaryOf(store: EventStore): Promise<object> {
  const { ledgerDigest, events, devices } = await replay(store);
  const reader = new StreamReader(store);
  const streams = [...new Set((await eventsOf(store)).map(({ stream }) => String(stream)))].sort();
  const functions: Record<string, object> = {};
  const migrations: Record<string, object> = {};
  for (const stream of streams) {
    const [, kind = '', owner = '', name = ''] = /^([a-z]+)-([^/]+)\/?(.*)$/.exec(stream) ?? [];
    if (kind === 'function') {
      const key = { host: sure(HostName.from(owner)), address: sure(Bdf.from(name)) };
      functions[stream] = summaryOfFunction((await reader.function(key)).state);
    }
    if (kind !== 'migration') continue;
    const key = { vm: sure(VmId.from(owner)), id: sure(MigrationId.from(name)) };
    const { state, revision } = await reader.migration(key);
    migrations[stream] = { state: state.kind, revision };
  }
  return {
    ledgerDigest, events, streams, functions, migrations,
    devices: Object.fromEntries(devices.map(({ stream, state, revision, layoutDigest, guestConfigSpaceDigest }) =>
      [stream, { state, revision, layoutDigest, guestConfigSpaceDigest }])),
  };
}

function summaryOfFunction(state: FunctionState): object {
  if (state.kind === 'unregistered') return { kind: state.kind };
  const { revision, observation, claim, users, retired } = state;
  return {
    revision, claim, users, retired, observedAt: observation?.revision ?? null,
    configSpaceDigest: observation?.facts.configSpaceDigest ?? null,
  };
}
