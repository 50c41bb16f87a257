import { DatabaseSync } from 'node:sqlite';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Pasid } from '@cadastre/config-space';
import { Digest } from '@cadastre/device-layout';
import {
  EventId, type EventStore, MemoryEventStore, Position, sha256Hex, StreamName, StreamRevision,
} from '@cadastre/event-store';
import {
  type DeviceKey, deviceStream, encodeEvent, functionStream, type LedgerEvent, Observation,
} from '@cadastre/lifecycle';
import { inMemory, Views, withSavedStates } from '@cadastre/views';
import { checkStates, type StateCheck } from './check-states.js';
import { KeptStates } from './kept-states.js';
import { StreamReader, type UpTo } from './stream-reader.js';
import { deviceKey, endpoint, functionKey, TestLedger } from './testing.js';

/** Counts the events that a reader reads of streams. */
class CountingStore extends MemoryEventStore {
  read = 0;

  override async readStream(...given: Parameters<EventStore['readStream']>): ReturnType<EventStore['readStream']> {
    const page = await super.readStream(...given);
    this.read += page.events.length;
    return page;
  }
}

const key = deviceKey();
const stream = functionStream(functionKey());
const silent = (): void => undefined;

/** A device whose stream has so many events: PASIDs come and go, ever more of them. */
async function longStream(events: number, store = new CountingStore()): Promise<CountingStore> {
  const ledger = await TestLedger.open(store);
  await ledger.observe('o');
  await ledger.attach('a', key);
  await append(store, key, 2, events - 2);
  store.read = 0;
  return store;
}

async function append(store: EventStore, of: DeviceKey, from: number, count: number): Promise<void> {
  for (let first = from; first < from + count; first += 500) {
    const numbers = Array.from({ length: Math.min(500, from + count - first) }, (_, index) => first + index);
    const outcome = await store.append([{
      stream: StreamName.from(deviceStream(of)), expectedRevision: StreamRevision.from(first - 1),
      events: numbers.map((number) => ({
        id: EventId.derive(`${of.vm} ${number}`, 0), type: change(number).type,
        data: encodeEvent({ event: change(number), envelope }),
      })),
    }]);
    if (outcome.kind !== 'appended') throw new Error(outcome.kind);
  }
}

const envelope = { idempotencyKey: 'many', requestDigest: Digest.of('many'), recordedAt: '2026-11-23T17:00:00.000Z' };

function change(number: number): LedgerEvent {
  const pasid = Pasid.from((number * 7) % 3_000 + 1);
  if (!pasid.ok) throw new Error('no PASID');
  if (number % 5 === 0) return { type: 'PasidDetached', schema: 1, pasid: pasid.value, was: null };
  return {
    type: 'PasidAttached', schema: 1, pasid: pasid.value, requested: { kind: 'hwpt', ptId: number },
    resultingPtId: number, hwptFlags: ['pasid'], faultId: null,
  };
}

describe('a reader of long streams', () => {
  it('tells the present and every past as one that folds the log alone, hot and after a restart', async () => {
    const store = await longStream(800);
    const views = await Views.open(store, inMemory, silent);
    const hot = new StreamReader(store, views.states);
    await hot.device(key);
    const asked: readonly (UpTo | undefined)[] = [
      undefined, 0, 1, 254, 255, 256, 700, 799, 2_000,
      ...[0, 1, 4, 258, 259, 260, 600, 802].map((at) => ({ position: Position.from(at) })),
    ];
    for (const upTo of asked) {
      const expected = await new StreamReader(store).device(key, upTo);
      expect([upTo, await hot.device(key, upTo)]).toEqual([upTo, expected]);
      expect([upTo, await new StreamReader(store, views.states).device(key, upTo)]).toEqual([upTo, expected]);
    }
  });

  it('reads few events after a restart, and few of the past', async () => {
    const store = await longStream(3_000);
    const views = await Views.open(store, inMemory, silent);
    await new StreamReader(store, views.states).device(key);
    const eventsReadBy = async (upTo?: UpTo): Promise<number> => {
      store.read = 0;
      await new StreamReader(store, views.states).device(key, upTo);
      return store.read;
    };
    expect(await eventsReadBy()).toBeLessThanOrEqual(257);
    expect(await eventsReadBy(1_700)).toBeLessThanOrEqual(257);
    expect(await eventsReadBy({ position: Position.from(1_700) })).toBeLessThanOrEqual(512);
    store.read = 0;
    await new StreamReader(store).device(key);
    expect(store.read).toBe(3_000);
  });

  it('keeps states while commands come one by one, and not only after a long fold', async () => {
    const store = await longStream(10);
    const views = await Views.open(store, inMemory, silent);
    const reader = new StreamReader(store, views.states);
    for (let next = 10; next < 600; next += 10) {
      await append(store, key, next, 10);
      await reader.device(key);
    }
    store.read = 0;
    await new StreamReader(store, views.states).device(key);
    expect(store.read).toBeLessThanOrEqual(257);
  });

  it('believes no state that stands behind an event the log does not have', async () => {
    const [one, other] = [await longStream(600), await longStream(100)];
    await append(other, key, 100, 50);
    const views = await Views.open(one, inMemory, silent);
    await new StreamReader(one, views.states).device(key);
    expect(await new StreamReader(other, views.states).device(key)).toEqual(await new StreamReader(other).device(key));
    expect(views.states.newest(deviceStream(key), 1, null)).toBe(undefined);
  });
});

describe('an observation a layout was decided over', () => {
  const none = { role: 'none', pf: null } as const;

  it('is read with the host facts of then, and the bytes those were told over', async () => {
    const store = new CountingStore();
    const ledger = await TestLedger.open(store);
    await ledger.observe('o1');
    await ledger.observe('o2', functionKey(), endpoint(), none, '7.3.1');
    await ledger.attach('a');
    await ledger.observe('o3', functionKey(), endpoint(), none, '7.4.0');
    await ledger.observe('o4', functionKey(), endpoint(9), none, '7.5.0');
    expect((await ledger.types()).filter((type) => type.endsWith('Observed'))).toEqual(
      ['FunctionObserved', 'HostFactsObserved', 'HostFactsObserved', 'FunctionObserved']);
    const { state } = await ledger.reader.device(key);
    const reference = state.kind === 'attached' ? state.layout?.observation : undefined;
    if (!reference) throw new Error('nothing was decided');
    expect(reference).toMatchObject({ revision: 2, configSpaceDigest: Digest.of(endpoint().toBytes()) });
    store.read = 0;
    const observed = await ledger.reader.observation(reference);
    expect([observed.kernel.release, store.read]).toEqual(['7.3.1', 2]);
    expect(Observation.configSpace(observed).equals(endpoint())).toBe(true);
    expect((await ledger.reader.observed(reference)).captured).toEqual({ stream, revision: 1 });
    // Another change of facts refers to the same bytes, not to the facts before it.
    const later = await ledger.reader.observation({ ...reference, revision: 4 });
    expect([later.kernel.release, later.configSpace]).toEqual(['7.4.0', observed.configSpace]);
  });

  it.each([
    ['is no observation', { type: 'ObservationConfirmed' }, 'revision 2 holds no observation'],
    ['refers to an event without bytes', { configSpaceRevision: 0 }, 'revision 0 does not hold the bytes of revision'],
    ['refers to other bytes', { configSpaceDigest: Digest.of('x') }, 'revision 1 does not hold the bytes of revision'],
    ['refers to no event', { configSpaceRevision: 7 }, 'it has no revision 7'],
  ])('is damaged history where its event %s', async (_what, damage, problem) => {
    const store = new MemoryEventStore();
    const ledger = await TestLedger.open(store);
    await ledger.observe('o1');
    await ledger.observe('o2', functionKey(), endpoint(), none, '7.3.1');
    const facts = await ledger.reader.event({ stream, revision: 2 });
    const event = { ...facts, ...damage } as LedgerEvent;
    const readStream = store.readStream.bind(store);
    store.readStream = async (...asked) => {
      const page = await readStream(...asked);
      return { ...page, events: page.events.map((one) => (one.revision !== 2 ? one
        : { ...one, data: encodeEvent({ event, envelope }) })) };
    };
    const configSpaceDigest = Digest.of(endpoint().toBytes());
    await expect(new StreamReader(store).observation({ stream, revision: 2, configSpaceDigest }))
      .rejects.toThrow(`${stream}: ${problem}`);
  });
});

describe('states in the file', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cadastre-states-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it.each([
    ['a state', `UPDATE saved_state SET text = replace(text, 'attached', 'detached')`],
    ['all parts', 'DELETE FROM saved_part'],
    ['a part', `UPDATE saved_part SET text = replace(text, 'hwpt', 'ioas')`],
    ['the event it stands behind', `UPDATE saved_state SET event_sha256 = 'other'`],
    ['the form of its text', 'UPDATE saved_state SET form = form + 1, text = 1'],
  ])('of which %s is not what was written are folded anew, and kept anew', async (_what, damage) => {
    const store = await longStream(600);
    const file = join(home, 'views.sqlite');
    const views = await Views.open(store, file, silent);
    const expected = await new StreamReader(store, views.states).device(key);
    const meddler = new DatabaseSync(file);
    expect(Number(meddler.prepare(damage).run().changes)).toBeGreaterThan(0);
    meddler.close();
    expect(await new StreamReader(store, views.states).device(key)).toEqual(expected);
    store.read = 0;
    expect(await new StreamReader(store, views.states).device(key)).toEqual(expected);
    expect(store.read).toBeLessThanOrEqual(257);
    await views.close();
  });

  it('are found by whoever opens the file again', async () => {
    const store = await longStream(600);
    const file = join(home, 'views.sqlite');
    const before = await Views.open(store, file, silent);
    const expected = await new StreamReader(store, before.states).device(key);
    await before.close();
    const views = await Views.open(store, file, silent);
    store.read = 0;
    expect(await new StreamReader(store, views.states).device(key)).toEqual(expected);
    expect(store.read).toBeLessThanOrEqual(257);
    await views.close();
  });

  it('are done without when the file fails, and a line says so', async () => {
    const said: string[] = [];
    const store = await longStream(600);
    const file = join(home, 'views.sqlite');
    const views = await Views.open(store, file, silent);
    const meddler = new DatabaseSync(file);
    meddler.exec(`CREATE TRIGGER fail BEFORE INSERT ON saved_state BEGIN SELECT RAISE(ABORT, 'disk gone'); END`);
    meddler.close();
    const reader = new StreamReader(store, views.states, (line) => said.push(line));
    expect(await reader.device(key)).toEqual(await new StreamReader(store).device(key));
    expect(said).toEqual(['no states are kept from now on, since their file fails: disk gone']);
    await views.close();
  });
});

describe('a check of the states in a file', () => {
  it('names those that the log does not give, and no others', async () => {
    const store = await longStream(1_100);
    const file = join(mkdtempSync(join(tmpdir(), 'cadastre-states-')), 'views.sqlite');
    const views = await Views.open(store, file, silent);
    await new StreamReader(store, views.states).device(key);
    await views.close();
    const check = (): Promise<StateCheck> => withSavedStates(file, (states) => checkStates(store, states));
    expect(await check()).toEqual({ states: 4, wrong: [] });
    const meddler = new DatabaseSync(file);
    const text = (meddler.prepare('SELECT text FROM saved_state WHERE revision = 511').get() as { text: string }).text
      .replace('"hotPlugOrder":null', '"hotPlugOrder":7');
    // Whoever forges a state can forge its hash, too.
    meddler.prepare('UPDATE saved_state SET text = ?, sha256 = ? WHERE revision = 511').run(text, sha256Hex(text));
    meddler.close();
    expect(await check()).toEqual({ states: 4, wrong: [{ stream: deviceStream(key), revision: 511 }] });
    rmSync(dirname(file), { recursive: true });
  });
});

describe('states in memory', () => {
  it('weigh no more than the limit together, and those used last are kept', () => {
    const states = new KeptStates<{ revision: number; bytes: number }>(100);
    for (const [name, bytes] of [['a', 40], ['b', 40], ['a', 50], ['c', 30]] as const) {
      states.put(name, { revision: bytes, bytes });
    }
    expect([...'abc'].map((name) => states.get(name)?.bytes)).toEqual([50, undefined, 30]);
    expect(states.bytes).toBe(80);
  });

  it('are one at least, however much it weighs', () => {
    const states = new KeptStates<{ revision: number; bytes: number }>(100);
    states.put('a', { revision: 0, bytes: 10 });
    states.put('b', { revision: 0, bytes: 1_000 });
    expect([states.get('a'), states.get('b')?.bytes]).toEqual([undefined, 1_000]);
    states.put('a', { revision: 0, bytes: 10 });
    expect([states.get('a')?.bytes, states.get('b'), states.bytes]).toEqual([10, undefined, 10]);
  });

  it('are never exchanged for one that was folded less far', () => {
    const states = new KeptStates<{ revision: number; bytes: number }>(100);
    states.put('a', { revision: 5, bytes: 1 });
    states.put('a', { revision: 4, bytes: 2 });
    expect(states.get('a')).toEqual({ revision: 5, bytes: 1 });
  });
});
