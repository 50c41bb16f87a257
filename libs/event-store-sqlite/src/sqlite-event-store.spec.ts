import { statSync } from 'node:fs';
import { join } from 'node:path';
import { eventBytesMax, EventId, type EventStore, StreamName, StreamRevision } from '@cadastre/event-store';
import { describeEventStore } from '@cadastre/event-store/testing';
import { children } from '../test/child-process.js';
import { eventsPerStep, knownWork } from '../test/known-work.js';
import { scratch, wholeLog } from '../test/scratch.js';
import { pageBytes } from './ledger-file.js';
import { checkpointAfterFrames } from './ledger-log.js';
import { groupAppendsMax, LedgerReadOnly, SqliteEventStore } from './sqlite-event-store.js';

const directoryOf = scratch();
const startChild = children();
const directories = new WeakMap<EventStore, string>();

async function openIn(directory: string): Promise<SqliteEventStore> {
  const store = await SqliteEventStore.open(directory);
  directories.set(store, directory);
  return store;
}

describeEventStore('SQLite in memory', () => SqliteEventStore.open(':memory:'), { survivesRestart: false });

describeEventStore('SQLite in a directory', () => openIn(directoryOf()), {
  survivesRestart: true,
  reopen: (closed) => openIn(directories.get(closed) ?? 'nowhere'),
});

describe('appends of one turn of the event loop', () => {
  it('share one transaction, and each gets its own answer', async () => {
    const store = await openIn(directoryOf());
    const outcomes = await Promise.all([
      store.append(knownWork('a', 0)),
      store.append(knownWork('b', 0)),
      store.append(knownWork('a', 1)),
      store.append(knownWork('b', 3)),
      store.append(knownWork('a', 0)),
    ]);
    expect(outcomes).toMatchObject([
      { kind: 'appended', position: 2, again: false },
      { kind: 'appended', position: 5, again: false },
      { kind: 'appended', position: 8, again: false },
      { kind: 'revision-moved', stream: 'device-b', expected: 5, actual: 1 },
      { kind: 'appended', position: 2, again: true },
    ]);
    expect(store.commits).toBe(1);
    await store.close();
  });

  it('take a transaction each when they come one after the other', async () => {
    const store = await openIn(directoryOf());
    for (const step of [0, 1, 2]) await store.append(knownWork('a', step));
    expect(store.commits).toBe(3);
    await store.close();
  });

  it('take none when there is nothing to write', async () => {
    const store = await openIn(directoryOf());
    await store.append(knownWork('a', 0));
    await Promise.all([store.append(knownWork('a', 0)), store.append(knownWork('a', 5))]);
    expect(store.commits).toBe(1);
    await store.close();
  });

  it(`take one more for each ${groupAppendsMax} of them`, async () => {
    const store = await openIn(directoryOf());
    const appends = Array.from({ length: 2 * groupAppendsMax + 1 }, (_, index) => knownWork(`w${index}`, 0));
    const outcomes = await Promise.all(appends.map((batch) => store.append(batch)));
    expect(outcomes.filter(({ kind }) => kind !== 'appended')).toEqual([]);
    expect(store.commits).toBe(3);
    expect(await wholeLog(store)).toHaveLength(appends.length * eventsPerStep);
    await store.close();
  });

  it('are answered when everybody can see them, and not before', async () => {
    const directory = directoryOf();
    const store = await openIn(directory);
    const reader = await SqliteEventStore.openReadOnly(directory);
    const seen = await Promise.all(['a', 'b', 'c'].map(async (writer) => {
      await store.append(knownWork(writer, 0));
      return (await reader.readAll()).head;
    }));
    expect(seen).toEqual([8, 8, 8]);
    await reader.close();
    await store.close();
  });
});

describe('the WAL', () => {
  it('is moved into the file again and again, so that it does not grow with the log', async () => {
    const directory = directoryOf();
    const store = await openIn(directory);
    const sizeOf = (name: string) => statSync(join(directory, name)).size;
    const data = 'x'.repeat(eventBytesMax);
    const checkpointBytes = checkpointAfterFrames * pageBytes;
    for (let step = 0; step < 4 * checkpointBytes / eventBytesMax; step += 1) {
      await store.append([{
        stream: StreamName.from('device-large'),
        expectedRevision: step === 0 ? 'no-stream' : StreamRevision.from(step - 1),
        events: [{ id: EventId.derive('large', step), type: 'DeviceAttached', data }],
      }]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sizeOf('ledger.db')).toBeGreaterThan(3 * checkpointBytes);
    expect(sizeOf('ledger.db-wal')).toBeLessThan(1.5 * checkpointBytes);
    await store.close();
  });
});

describe('a ledger that was opened to be read', () => {
  it('shows what the writer beside it has committed, as soon as it has', async () => {
    const directory = directoryOf();
    const writer = await openIn(directory);
    const reader = await SqliteEventStore.openReadOnly(directory);
    expect(await reader.readAll()).toEqual({ events: [], head: 'empty' });
    for (const step of [0, 1, 2]) {
      await writer.append(knownWork('a', step));
      expect(await wholeLog(reader)).toEqual(await wholeLog(writer));
      expect((await reader.readStream(StreamName.from('function-a'))).revision).toBe(step);
    }
    await reader.close();
    await writer.close();
  });

  it('shows at any moment a prefix of what a writer in another process is writing', async () => {
    const directory = directoryOf();
    const child = startChild(directory, 'child', 4);
    await child.said(1);
    const reader = await SqliteEventStore.openReadOnly(directory);
    const look = async () => (await wholeLog(reader)).map(({ position, id, sha256 }) => `${position} ${id} ${sha256}`);
    let before = await look();
    for (let round = 0; round < 6; round += 1) {
      await child.said(child.lines.length + 5);
      const now = await look();
      expect(now.length % eventsPerStep).toBe(0);
      expect(now.length).toBeGreaterThan(before.length);
      expect(now.slice(0, before.length)).toEqual(before);
      before = now;
    }
    await reader.close();
  });

  it('refuses to append, and says that it cannot be written', async () => {
    const directory = directoryOf();
    await (await openIn(directory)).close();
    const reader = await SqliteEventStore.openReadOnly(directory);
    await expect(reader.append(knownWork('a', 0))).rejects.toThrow(LedgerReadOnly);
    expect(await reader.check()).toMatchObject({ writable: false });
    expect(await reader.readAll()).toEqual({ events: [], head: 'empty' });
    await reader.close();
  });

  it('does not keep a writer from opening it, nor from closing it', async () => {
    const directory = directoryOf();
    await (await openIn(directory)).close();
    const reader = await SqliteEventStore.openReadOnly(directory);
    const writer = await openIn(directory);
    await writer.append(knownWork('a', 0));
    await writer.close();
    expect(await wholeLog(reader)).toHaveLength(eventsPerStep);
    await reader.close();
  });

  it('shows what a killed writer had committed, before any writer has opened it again', async () => {
    const directory = directoryOf();
    const child = startChild(directory, 'child', 2);
    await child.said(20);
    await child.kill();
    const acked = child.lines.filter((line) => line.startsWith('acked'));
    const reader = await SqliteEventStore.openReadOnly(directory);
    expect((await wholeLog(reader)).length).toBeGreaterThanOrEqual(acked.length * eventsPerStep);
    await reader.close();
  });
});
