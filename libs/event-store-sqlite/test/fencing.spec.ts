import { type AppendOutcome } from '@cadastre/event-store';
import { LedgerFenced, SqliteEventStore } from '../src/index.js';
import { eventsPerStep, knownWork } from './known-work.js';
import { meddle, scratch, wholeLog } from './scratch.js';

const directoryOf = scratch();

/** Makes INSERT fail, in the middle of a batch: its first event goes in, the second does not. */
const insertFails = `
  CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.position = 4
  BEGIN SELECT RAISE(ABORT, 'the disk is full, so to speak'); END`;

/** Lets every INSERT go in and makes COMMIT fail, with the transaction still open: a reference to a row not there. */
const commitFails = `
  CREATE TABLE parent (a INTEGER PRIMARY KEY);
  CREATE TABLE child (a INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
  CREATE TRIGGER owe AFTER INSERT ON event WHEN NEW.position = 4 BEGIN INSERT INTO child VALUES (1); END`;

/** Makes SQLite give up the transaction by itself. */
const insertRollsBack = `
  CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.position = 4
  BEGIN SELECT RAISE(ROLLBACK, 'given up'); END`;

describe.each([
  ['INSERT fails', insertFails],
  ['COMMIT fails', commitFails],
  ['SQLite gives up the transaction', insertRollsBack],
])('a store in which %s', (_what, fault) => {
  async function failed() {
    const directory = directoryOf();
    const fences: LedgerFenced[] = [];
    const store = await SqliteEventStore.open(directory, { onFence: (fenced) => fences.push(fenced) });
    await store.append(knownWork('before', 0));
    meddle(directory, fault);
    const group = await Promise.all([
      store.append(knownWork('a', 0)),
      store.append(knownWork('b', 0)),
      store.append(knownWork('before', 0)),
    ]);
    return { directory, store, fences, group };
  }

  it('tells the whole group that its fate is unknown, and why', async () => {
    const { store, group } = await failed();
    expect(group.map(({ kind }) => kind)).toEqual(['unknown', 'unknown', 'unknown']);
    expect(new Set(group.map(causeOf)).size).toBe(1);
    expect(causeOf(group[0])).toMatchObject({ code: 'ERR_SQLITE_ERROR' });
    await store.close();
  });

  it('shows and has stored nothing of the group, and all that was acknowledged before', async () => {
    const { directory, store } = await failed();
    const beside = await SqliteEventStore.openReadOnly(directory);
    for (const reader of [store, beside]) expect(await wholeLog(reader)).toHaveLength(eventsPerStep);
    expect(await store.findEvent(knownWork('a', 0)[0].events[0]?.id ?? never())).toBeUndefined();
    await beside.close();
    await store.close();
  });

  it('writes nothing more, even when the cause has gone', async () => {
    const { directory, store, fences } = await failed();
    meddle(directory, 'DROP TRIGGER IF EXISTS refuse; DROP TRIGGER IF EXISTS owe');
    for (const step of [0, 1]) {
      const outcome = await store.append(knownWork('c', step));
      expect(outcome.kind).toBe('unknown');
      expect(causeOf(outcome)).toBe(fences[0]);
    }
    expect(await wholeLog(store)).toHaveLength(eventsPerStep);
    expect(store.commits).toBe(1);
    await store.close();
  });

  it('says so, once to who opened it and always to who asks', async () => {
    const { store, fences, group } = await failed();
    await store.append(knownWork('c', 0));
    expect(fences).toHaveLength(1);
    expect(fences[0]).toBeInstanceOf(LedgerFenced);
    expect(fences[0]?.cause).toBe(causeOf(group[0]));
    expect(await store.check()).toEqual({ writable: false, reason: fences[0]?.message });
    await store.close();
  });

  it('is well again when it is opened anew, and then tells the fate of the group', async () => {
    const { directory, store } = await failed();
    await store.close();
    meddle(directory, 'DROP TRIGGER IF EXISTS refuse; DROP TRIGGER IF EXISTS owe');
    const anew = await SqliteEventStore.open(directory);
    expect(await anew.append(knownWork('a', 0))).toMatchObject({ kind: 'appended', position: 5, again: false });
    expect(await anew.append(knownWork('before', 0))).toMatchObject({ kind: 'appended', position: 2, again: true });
    await anew.close();
  });
});

function causeOf(outcome: AppendOutcome | undefined): Error | undefined {
  return outcome?.kind === 'unknown' ? outcome.cause : undefined;
}

function never(): never {
  throw new Error('Known work has events');
}
