import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import {
  EventId, type EventStore, pageBytesMax, pageSizeMax, Position, type RecordedEvent, StreamName, StreamRevision,
} from '@cadastre/event-store';
import { SqliteEventStore } from '../src/index.js';
import { sealedBytesMax, sealedEvents } from '../src/sealed-page.js';
import { knownWork } from './known-work.js';
import { meddle, reading, scratch, wholeLog } from './scratch.js';

const directoryOf = scratch();
const stream = StreamName.from('device-vm1/gpu0');

async function append(store: EventStore, from: number, count: number, data = '{}'): Promise<void> {
  const events = Array.from({ length: count }, (_, index) =>
    ({ id: EventId.derive('page', from + index), type: 'DeviceAttached', data }));
  const expectedRevision = from === 0 ? 'no-stream' : StreamRevision.from(from - 1);
  const { kind } = await store.append([{ stream, expectedRevision, events }]);
  if (kind !== 'appended') throw new Error(kind);
}

/** A closed ledger of two full pages and a half. */
async function ledger(): Promise<string> {
  const directory = directoryOf();
  const store = await SqliteEventStore.open(directory);
  for (let step = 0; step * 3 < 2.5 * sealedEvents; step += 1) await store.append(knownWork('vm1/gpu0', step));
  await store.close();
  return directory;
}

function sealsIn(directory: string): readonly unknown[] {
  const db = new DatabaseSync(join(directory, 'ledger.db'), { readOnly: true });
  const rows = db.prepare('SELECT page, sha256 FROM page ORDER BY page').all();
  const seals = rows.map(({ page, sha256 }) => [page, sha256]);
  db.close();
  return seals;
}

/** What `sealed-page.ts` says is sealed, once more; the streams have their numbers in the order of `streams`. */
function sealOf(events: readonly RecordedEvent[], streams: readonly string[] = [stream]): string {
  const text = events.flatMap(({ stream: of, revision, id, type, sha256, data }) =>
    [streams.indexOf(of) + 1, of, revision, id, type, sha256, data]).join('\n');
  return createHash('sha256').update(text).digest('hex');
}

describe('a page of the log that is full', () => {
  it('is sealed with the event that fills it, and not before', async () => {
    const directory = directoryOf();
    const store = await SqliteEventStore.open(directory);
    await append(store, 0, sealedEvents - 1);
    expect(sealsIn(directory)).toEqual([]);
    await append(store, sealedEvents - 1, 1);
    expect(sealsIn(directory)).toEqual([[0, sealOf(await wholeLog(store))]]);
    await append(store, sealedEvents, 2 * sealedEvents + 1);
    const log = await wholeLog(store);
    const seals = [0, 1, 2].map((page) => [page, sealOf(log.slice(page * sealedEvents, (page + 1) * sealedEvents))]);
    expect(sealsIn(directory)).toEqual(seals);
    await store.close();
  });

  it('is read by its seal: of its events nothing else is checked', async () => {
    const directory = await ledger();
    const log = await reading(directory, wholeLog);
    const meddled = log.slice(0, sealedEvents).map((event) =>
      (event.position === 3 ? { ...event, type: 'Other' } : event));
    meddle(directory, `UPDATE event SET type = 'Other' WHERE position = 3;
      UPDATE page SET sha256 = '${sealOf(meddled, [stream, 'function-vm1/gpu0'])}' WHERE page = 0`);
    await reading(directory, async (store) => {
      expect((await store.readAll()).events[3]?.type).toBe('Other');
      await expect(store.readAll({ limit: 10 })).rejects.toMatchObject({ name: 'CorruptEvent', position: 3 });
    });
  });

  it('and has lost its seal, or has a wrong one, is read event by event', async () => {
    const directory = await ledger();
    const log = await reading(directory, wholeLog);
    meddle(directory, `DELETE FROM page WHERE page = 0; UPDATE page SET sha256 = 'x' WHERE page = 1`);
    expect(await reading(directory, wholeLog)).toEqual(log);
  });

  it.each([
    ['position', 'position = 9999'],
    ['place', `position = 9999 WHERE position = 8; UPDATE event SET position = 8 WHERE position = 7;
      UPDATE event SET position = 7 WHERE position = 9999; UPDATE event SET type = type`],
    ['revision', 'revision = 9999'],
    ['stream', `stream_id = (SELECT stream_id FROM stream WHERE name LIKE 'function-%'), revision = 9999`],
    ['id', `id = '00000000-0000-4000-8000-000000000000'`],
    ['type', `type = 'DeviceDetached'`],
    ['hash', `sha256 = replace(sha256, substr(sha256, 1, 1), 'x')`],
    ['data', `data = x'00'`],
    ['data, which has no UTF-8', `data = x'ff'`],
    ['data, which has lines', `data = CAST(char(10) || data AS BLOB)`],
  ])('is never served with an event whose %s was changed', async (_column, change) => {
    const directory = await ledger();
    meddle(directory, `UPDATE event SET ${change} WHERE position = 7`);
    await reading(directory, async (store) => {
      await expect(store.readAll()).rejects.toThrow(/The (data|envelope) of event|The log is damaged/);
      // The page before the damage and the one behind it are served.
      expect((await store.readAll({ limit: 7 })).events).toHaveLength(7);
      const after = Position.from(sealedEvents - 1);
      expect((await store.readAll({ after, limit: sealedEvents })).events).toHaveLength(sealedEvents);
    });
  });

  it('stays without a seal when an event in it is damaged already, and the log goes on', async () => {
    const directory = directoryOf();
    const store = await SqliteEventStore.open(directory);
    await append(store, 0, 10);
    meddle(directory, `UPDATE event SET type = 'Other' WHERE position = 3`);
    await append(store, 10, 2 * sealedEvents - 10);
    expect(sealsIn(directory)).toMatchObject([[1, expect.any(String)]]);
    await expect(store.readAll()).rejects.toMatchObject({ name: 'CorruptEvent', position: 3 });
    await store.close();
  });

  it('stays without a seal when an event of it was lost before, however many come at once behind it', async () => {
    const directory = directoryOf();
    const store = await SqliteEventStore.open(directory);
    await append(store, 0, 10);
    meddle(directory, 'DELETE FROM event WHERE position = 3');
    await append(store, 10, 2 * sealedEvents - 10);
    expect(sealsIn(directory)).toMatchObject([[1, expect.any(String)]]);
    await expect(store.readAll()).rejects.toMatchObject({ name: 'CorruptLog', expected: 3, found: 4 });
    await store.close();
  });

  it('stays without a seal when its data is too much for it', async () => {
    const directory = directoryOf();
    const store = await SqliteEventStore.open(directory);
    const data = 'x'.repeat(Math.ceil((sealedBytesMax + 1) / sealedEvents));
    await append(store, 0, sealedEvents, data);
    await append(store, sealedEvents, sealedEvents);
    expect(sealsIn(directory)).toMatchObject([[1, expect.any(String)]]);
    expect((await store.readAll()).events).toHaveLength(2 * sealedEvents);
    await store.close();
  });

  it('never makes a page that is read hold more bytes than it may', async () => {
    const directory = directoryOf();
    const store = await SqliteEventStore.open(directory);
    // Seven sealed pages that are as large as they may be, and behind them events that are as large as they may be.
    const fits = 'x'.repeat(Math.floor(sealedBytesMax / sealedEvents));
    const pages = pageSizeMax / sealedEvents - 1;
    for (let page = 0; page < pages; page += 1) await append(store, page * sealedEvents, sealedEvents, fits);
    expect(sealsIn(directory)).toHaveLength(pages);
    const large = 'x'.repeat(1024 * 1024);
    for (let at = 0; at < 4; at += 1) await append(store, pages * sealedEvents + at, 1, large);
    const { events } = await store.readAll();
    const bytes = events.reduce((sum, { data }) => sum + data.length, 0);
    expect(events.length).toBe(pages * sealedEvents + 2);
    expect(bytes).toBeLessThanOrEqual(pageBytesMax);
    await store.close();
  });
});

describe('any page of a log with sealed pages', () => {
  it('is the same events as if each had been read alone', async () => {
    const directory = await ledger();
    await reading(directory, async (store) => {
      const log: RecordedEvent[] = [];
      for (let head: number | 'empty' = -1; log.at(-1)?.position !== head;) {
        const page = await store.readAll({ after: log.at(-1)?.position ?? 'start', limit: 7 });
        log.push(...page.events);
        ({ head } = page);
      }
      const places = [fc.nat(log.length), fc.integer({ min: 1, max: log.length + 10 })] as const;
      await fc.assert(fc.asyncProperty(...places, async (from, limit) => {
        const after = from === 0 ? 'start' : Position.from(from - 1);
        expect((await store.readAll({ after, limit })).events).toEqual(log.slice(from, from + limit));
      }), { numRuns: 200 });
    });
  });
});

describe('a ledger that was begun before pages were sealed', () => {
  async function older(): Promise<string> {
    const directory = await ledger();
    meddle(directory, 'DROP TABLE page; PRAGMA user_version = 1');
    return directory;
  }

  it('is read as it is, and left as it is', async () => {
    const directory = await older();
    const file = readFileSync(join(directory, 'ledger.db'));
    const due = await reading(await ledger(), wholeLog);
    expect(await reading(directory, wholeLog)).toEqual(due);
    expect(readFileSync(join(directory, 'ledger.db')).equals(file)).toBe(true);
  });

  it('gets seals from the next page on that becomes full', async () => {
    const directory = await older();
    const due = await reading(directory, wholeLog);
    const store = await SqliteEventStore.open(directory);
    for (let step = due.length / 3; step * 3 < 3 * sealedEvents; step += 1) {
      await store.append(knownWork('vm1/gpu0', step));
    }
    await store.close();
    expect(sealsIn(directory)).toMatchObject([[2, expect.any(String)]]);
    const log = await reading(directory, wholeLog);
    expect(log.slice(0, due.length)).toEqual(due);
  });
});
