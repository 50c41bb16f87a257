import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { CorruptEvent, CorruptLog, type EventStore, type RecordedEvent, StreamName } from '@cadastre/event-store';
import { SqliteEventStore } from '../src/index.js';
import { eventsPerStep, knownWork } from './known-work.js';
import { meddle, reading, scratch, wholeLog } from './scratch.js';

const directoryOf = scratch();

const writers = ['vm1/gpu0', 'vm2/gpu0'];
const steps = 3;
const streams = writers.flatMap((writer) => knownWork(writer, 0).map(({ stream }) => stream));

/** A closed ledger of 18 events in four streams; position 9 is `device-vm2/gpu0` at revision 2. */
async function ledger(directory = directoryOf()): Promise<string> {
  const store = await SqliteEventStore.open(directory);
  for (let step = 0; step < steps; step += 1) {
    for (const writer of writers) await store.append(knownWork(writer, step));
  }
  await store.close();
  return directory;
}

const damaged = { position: 9, stream: StreamName.from('device-vm2/gpu0'), revision: 2 } as const;

describe('an event that was changed in the file', () => {
  it('by one bit of its data is never served, but named, though SQLite finds nothing wrong', async () => {
    const directory = await ledger();
    const path = join(directory, 'ledger.db');
    const [event] = await reading(directory, async (store) => (await wholeLog(store)).slice(damaged.position));
    const file = readFileSync(path);
    const at = file.indexOf(event?.data ?? '');
    expect(at).toBeGreaterThan(0);
    file.writeUInt8(file.readUInt8(at + 100) ^ 0x10, at + 100);
    writeFileSync(path, file);

    const named = { name: 'CorruptEvent', ...damaged, part: 'data', expectedSha256: event?.sha256 };
    await reading(directory, async (store) => {
      await expect(store.readAll()).rejects.toMatchObject(named);
      await expect(store.readStream(damaged.stream)).rejects.toMatchObject(named);
      await expect(store.findEvent(event?.id as RecordedEvent['id'])).rejects.toMatchObject(named);
      expect(await (store as SqliteEventStore).integrity()).toEqual([]);
    });
  });

  it.each([
    ['position', 'position = 99'],
    ['revision', 'revision = 99'],
    ['stream', `stream_id = (SELECT stream_id FROM stream WHERE name = 'device-vm1/gpu0'), revision = 99`],
    ['id', `id = '00000000-0000-4000-8000-000000000000'`],
    ['type', `type = 'DeviceDetached'`],
    ['hash', `sha256 = replace(sha256, substr(sha256, 1, 1), 'x')`],
    ['seal', `seal = replace(seal, substr(seal, 1, 1), 'x')`],
    ['data', `data = x'00'`],
    ['data, and its hash with it', `(data, sha256) = (SELECT data, sha256 FROM event WHERE position = 0)`],
  ])('in its %s is never served', async (_column, change) => {
    const directory = await ledger();
    meddle(directory, `UPDATE event SET ${change} WHERE position = ${damaged.position}`);
    await reading(directory, async (store) => {
      await expect(store.readAll()).rejects.toThrow(/The (data|envelope) of event|The log is damaged/);
      await expect(store.readStream(damaged.stream)).rejects.toThrow(/The (data|envelope) of event|The log is damaged/);
    });
  });

  it('leaves the events before it and the other streams readable', async () => {
    const directory = await ledger();
    meddle(directory, `UPDATE event SET type = 'Other' WHERE position = ${damaged.position}`);
    await reading(directory, async (store) => {
      expect((await store.readAll({ limit: damaged.position })).events).toHaveLength(damaged.position);
      expect((await store.readStream(StreamName.from('device-vm1/gpu0'))).endOfStream).toBe(true);
    });
  });

  it('fails the append that must be compared with it, and no other', async () => {
    const directory = await ledger();
    meddle(directory, `UPDATE event SET type = 'Other' WHERE position = ${damaged.position}`);
    const store = await SqliteEventStore.open(directory);
    const [repeated, other] = await Promise.allSettled([
      store.append(knownWork('vm2/gpu0', 1)),
      store.append(knownWork('vm1/gpu0', steps)),
    ]);
    expect(repeated).toMatchObject({ status: 'rejected', reason: { name: 'CorruptEvent', ...damaged } });
    expect(other).toMatchObject({ status: 'fulfilled', value: { kind: 'appended' } });
    expect(await store.check()).toEqual({ writable: true });
    await store.close();
  });
});

describe('a log that was changed in the file', () => {
  const newest = writers.length * steps * eventsPerStep - 1;

  it.each([
    ['lost its first event', 'DELETE FROM event WHERE position = 0', { expected: 0, found: 1 }],
    ['lost an event', 'DELETE FROM event WHERE position = 7', { expected: 7, found: 8 }],
    ['lost its last event', `DELETE FROM event WHERE position = ${newest}`, { expected: newest, found: 'end' }],
    ['lost all events', 'DELETE FROM event', { expected: 0, found: 'end' }],
    ['lost a stream', `DELETE FROM stream WHERE name = 'device-vm1/gpu0'`, { expected: 0, found: 2 }],
    ['forgot its last events', 'UPDATE ledger SET events = 5', { expected: 'end', found: 5 }],
  ])('and %s is never served', async (_what, change, where) => {
    const directory = await ledger();
    meddle(directory, change);
    await reading(directory, async (store) => {
      await expect(store.readAll()).rejects.toThrow(CorruptLog);
      await expect(store.readAll()).rejects.toMatchObject({ sequence: 'positions', ...where });
    });
  });

  it.each([
    ['lost an event', 'DELETE FROM event WHERE position = 9', { expected: 2, found: 3 }],
    ['lost its last event', 'DELETE FROM event WHERE revision = 5', { expected: 5, found: 'end' }],
    ['forgot its last event', 'UPDATE stream SET revision = 4', { expected: 'end', found: 5 }],
  ])('in a stream that %s is never served', async (_what, change, where) => {
    const directory = await ledger();
    meddle(directory, change);
    await reading(directory, async (store) => {
      await expect(store.readStream(damaged.stream)).rejects.toThrow(CorruptLog);
      await expect(store.readStream(damaged.stream)).rejects.toMatchObject({ sequence: damaged.stream, ...where });
    });
  });

  it.each([
    ['is missing', `DELETE FROM event WHERE position = ${newest}`, CorruptLog],
    ['is not the one that is due', `UPDATE event SET position = 99 WHERE position = ${newest}`, CorruptLog],
    ['was changed', `UPDATE event SET type = 'Other' WHERE position = ${newest}`, CorruptEvent],
  ])('takes no more appends when its last event %s', async (_what, change, refusal) => {
    const directory = await ledger();
    meddle(directory, change);
    await expect(SqliteEventStore.open(directory)).rejects.toThrow(refusal);
    // Nobody holds the lock: what is left can be looked at, and repaired.
    await expect(SqliteEventStore.open(directory)).rejects.toThrow(refusal);
  });
});

describe('a byte that was flipped anywhere in the file', () => {
  const runs = 300;

  it(`is harmless, or stops the read, or is found by the integrity check, in each of ${runs} places`, async () => {
    const home = directoryOf();
    const original = await ledger();
    const file = readFileSync(join(original, 'ledger.db'));
    const written = await reading(original, everyAnswer);
    let count = 0;
    const places = [fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 })] as const;
    await fc.assert(fc.asyncProperty(...places, async (at, flip) => {
      const copy = join(home, `copy-${count += 1}`);
      const bytes = Buffer.from(file);
      bytes.writeUInt8(bytes.readUInt8(at) ^ flip, at);
      mkdirSync(copy);
      writeFileSync(join(copy, 'ledger.db'), bytes);
      const read = await reading(copy, everyAnswer).catch((error: unknown) => error);
      if (!(read instanceof Array)) return;
      // An index that has lost an entry makes a read find nothing; it must never make it find something else.
      const changed = read.filter((answer, index) => answer !== written[index] && answer !== 'nothing');
      expect(changed).toEqual([]);
      if (read.join() !== written.join()) expect(findingsIn(copy)).not.toEqual(['ok']);
    }), { numRuns: runs });
  });

  /** All that can be asked of the store, in words. */
  async function everyAnswer(store: EventStore): Promise<readonly string[]> {
    const answers = [describeAll(await wholeLog(store))];
    for (const stream of streams) answers.push(describeAll((await store.readStream(stream)).events));
    for (const { id } of writers.flatMap((writer) => knownWork(writer, 1).flatMap(({ events }) => events))) {
      const found = await store.findEvent(id);
      answers.push(describeAll(found ? [found] : []));
    }
    return answers;
  }

  function describeAll(events: readonly RecordedEvent[]): string {
    return events.map((event) => JSON.stringify(event)).join()
      || 'nothing';
  }

  function findingsIn(directory: string): readonly unknown[] {
    const db = new DatabaseSync(join(directory, 'ledger.db'));
    try {
      return db.prepare('PRAGMA integrity_check').all().map((row) => row['integrity_check']);
    } catch (error) {
      return [error];
    } finally {
      db.close();
    }
  }
});

describe('a name in the index of streams that was changed in the file', () => {
  it('is found when the ledger is opened: a stream that nobody finds would be begun a second time', async () => {
    const directory = await ledger();
    const path = join(directory, 'ledger.db');
    const file = readFileSync(path);
    // The name stands twice: in the row of the table, and in the index, which is another page.
    const name = 'device-vm2/gpu0';
    const places = [file.indexOf(name), file.lastIndexOf(name)];
    expect(places[0]).not.toBe(places[1]);
    const found: string[] = [];
    for (const at of places) {
      const changed = Buffer.from(file);
      changed.writeUInt8(changed.readUInt8(at + 8) ^ 1, at + 8);
      writeFileSync(path, changed);
      found.push(await SqliteEventStore.open(directory).then(() => 'opened', (error: Error) => error.name));
    }
    expect(found).toEqual(['DamagedIndex', 'DamagedIndex']);
  });
});
