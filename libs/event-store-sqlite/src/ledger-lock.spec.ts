import { readdirSync } from 'node:fs';
import { children } from '../test/child-process.js';
import { scratch } from '../test/scratch.js';
import { LedgerInUse } from './ledger-lock.js';
import { SqliteEventStore } from './sqlite-event-store.js';

const directoryOf = scratch();
const startChild = children();

describe('a ledger directory', () => {
  it('has one writer at a time, and tells the second one what to do', async () => {
    const directory = directoryOf();
    const first = await SqliteEventStore.open(directory);
    const second = SqliteEventStore.open(directory);
    await expect(second).rejects.toThrow(LedgerInUse);
    await expect(second).rejects.toMatchObject({ directory, message: expect.stringContaining('fuser') as string });
    expect(await first.check()).toEqual({ writable: true });
    await first.close();
  });

  it('is free for the next writer once the first has closed', async () => {
    const directory = directoryOf();
    for (let opening = 0; opening < 3; opening += 1) await (await SqliteEventStore.open(directory)).close();
  });

  it('stays locked when a refused second writer goes away', async () => {
    const directory = directoryOf();
    const first = await SqliteEventStore.open(directory);
    await expect(SqliteEventStore.open(directory)).rejects.toThrow(LedgerInUse);
    await expect(SqliteEventStore.open(directory)).rejects.toThrow(LedgerInUse);
    const other = startChild(directory, 'other', 0);
    expect(await other.ended()).not.toBe(0);
    expect(other.lines).toEqual([]);
    await first.close();
  });

  it('is refused while a writer in another process lives, and free right after that one was killed', async () => {
    const directory = directoryOf();
    const other = startChild(directory, 'other', 0);
    await other.said(1);
    await expect(SqliteEventStore.open(directory)).rejects.toThrow(LedgerInUse);
    await other.kill();
    expect(readdirSync(directory)).not.toContain('ledger.lock-journal');
    const store = await SqliteEventStore.open(directory);
    expect(await store.check()).toEqual({ writable: true });
    await store.close();
  });

  it('does not lock another directory', async () => {
    const stores = [await SqliteEventStore.open(directoryOf()), await SqliteEventStore.open(directoryOf())];
    for (const store of stores) await store.close();
  });
});
