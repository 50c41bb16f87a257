import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '@cadastre/event-store';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import { replay } from '@cadastre/ledger';
import { decodeEvent, encodeEvent, eventTypes, UnreadableEvent } from '@cadastre/lifecycle';
import { freeze, type FrozenEvent, readFrozenLog, readFrozenSummary, summaryOf, thaw } from './frozen-log.js';
import { CountingClock, homeInMemory } from './home.js';
import { RunningLedger } from './running-ledger.js';
import { tellSampleHistory } from './sample-history.js';

const isWritten = process.env['CADASTRE_FREEZE'] === '1';

async function tell(): Promise<RunningLedger> {
  const ledger = await RunningLedger.start(homeInMemory(new CountingClock()));
  const elsewhere = await RunningLedger.start(homeInMemory(new CountingClock()));
  try {
    await tellSampleHistory(ledger, elsewhere);
    return ledger;
  } finally {
    await elsewhere.stop();
  }
}

/** The members of a value, however deep: `moves[].layout.patches[].mask`. */
function membersOf(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => membersOf(item, `${path}[]`));
  if (value === null || typeof value !== 'object') return [path];
  return Object.entries(value).flatMap(([name, member]) => membersOf(member, `${path}.${name}`));
}

/** Every member that events of each type have, and where they come in the history. */
function shapeOf(events: readonly { readonly stream: string; readonly data: string }[]): object {
  const decoded = events.map(({ stream, data }) => ({ stream, event: decodeEvent(data).event }));
  return {
    order: decoded.map(({ stream, event }) => `${stream} ${event.type} ${event.schema}`),
    members: [...new Set(decoded.flatMap(({ event }) => membersOf(event, event.type)))].sort(),
  };
}

describe('the history that is frozen in test/fixtures/history-v1', () => {
  let frozen: readonly FrozenEvent[] = [];
  beforeAll(async () => {
    if (isWritten) {
      const ledger = await tell();
      await freeze(ledger.store);
      await ledger.stop();
    }
    frozen = readFrozenLog();
  });

  it('has every event there is', () => {
    expect([...new Set(frozen.map(({ type }) => type))].sort()).toEqual([...eventTypes].sort());
  });

  it('is read by this version, and written again to the letter', () => {
    for (const { type, data, sha256 } of frozen) {
      expect([type, sha256Hex(data)]).toEqual([type, sha256]);
      expect(encodeEvent(decodeEvent(data))).toBe(data);
    }
  });

  it('folds and replays to the digests of then, in memory and on disk', async () => {
    expect(await summaryOf(await thaw(frozen))).toEqual(readFrozenSummary());
    const directory = mkdtempSync(join(tmpdir(), 'cadastre-frozen-'));
    try {
      const store = await thaw(frozen, await SqliteEventStore.open(directory));
      expect(await summaryOf(store)).toEqual(readFrozenSummary());
      await store.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('told to a ledger of today is recorded in events of the same shape: another shape is another schema', async () => {
    const ledger = await tell();
    const { events } = await ledger.store.readAll();
    await ledger.stop();
    expect(shapeOf(events))
      .toEqual(shapeOf(frozen));
  });

  it.each([
    ['of an unknown type', '"type":"FunctionClaimed"', '"type":"FunctionRented"', 'event FunctionRented schema 1'],
    ['of a later schema', '"schema":1,"type":"FunctionClaimed"', '"schema":2,"type":"FunctionClaimed"',
      'event FunctionClaimed schema 2'],
  ])('with an event %s is not folded at all: it says which', async (_, found, meddled, message) => {
    const at = frozen.findIndex(({ data }) => data.includes(found));
    const store = await thaw(frozen.map((one, index) =>
      (index === at ? { ...one, data: one.data.replace(found, meddled) } : one)));
    const replayed = replay(store);
    await expect(replayed).rejects.toThrow(UnreadableEvent);
    await expect(replayed).rejects.toThrow(message);
  });
});
