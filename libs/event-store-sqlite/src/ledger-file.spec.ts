import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { knownWork } from '../test/known-work.js';
import { meddle, scratch, wholeLog } from '../test/scratch.js';
import { LedgerMissing, LedgerTooNew, LedgerUnreadable, NotALedger, openToWrite } from './ledger-file.js';
import { SqliteEventStore } from './sqlite-event-store.js';

const directoryOf = scratch();

async function ledgerWithOneAppend(): Promise<string> {
  const directory = directoryOf();
  const store = await SqliteEventStore.open(directory);
  await store.append(knownWork('a', 0));
  await store.close();
  return directory;
}

describe('a ledger file', () => {
  it('is made with the directories above it', async () => {
    const directory = join(directoryOf(), 'var', 'lib', 'cadastre');
    await (await SqliteEventStore.open(directory)).close();
    expect(readdirSync(directory).sort()).toEqual(['ledger.db', 'ledger.lock']);
  });

  it('says of itself what it is, to whoever looks', async () => {
    const header = readFileSync(join(await ledgerWithOneAppend(), 'ledger.db'));
    // "The Database Header" of sqlite.org/fileformat2.html: user version at 60, application id at 68.
    expect(header.readUInt32BE(60)).toBe(2);
    expect(header.toString('latin1', 68, 72)).toBe('CDST');
  });

  it('is written through the WAL, and synced before COMMIT returns', async () => {
    const db = openToWrite(await ledgerWithOneAppend());
    expect({ ...db.prepare('PRAGMA journal_mode').get(), ...db.prepare('PRAGMA synchronous').get() })
      .toEqual({ journal_mode: 'wal', synchronous: 2 });
    db.close();
  });

  it('has strict tables only', async () => {
    const db = openToWrite(await ledgerWithOneAppend());
    expect(db.prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'")
      .all().map((table) => ({ ...table })))
      .toEqual(expect.arrayContaining(['ledger', 'stream', 'event', 'page'].map((name) => ({ name, strict: 1 }))));
    db.close();
  });

  it('is made anew when the power failed while it was made', async () => {
    const directory = directoryOf();
    writeFileSync(join(directory, 'ledger.db.new'), 'half a page');
    writeFileSync(join(directory, 'ledger.db.new-journal'), 'half a journal');
    const store = await SqliteEventStore.open(directory);
    expect(await store.append(knownWork('a', 0))).toMatchObject({ kind: 'appended' });
    await store.close();
    expect(readdirSync(directory).sort()).toEqual(['ledger.db', 'ledger.lock']);
  });

  it('holds everything in itself once it is closed', async () => {
    const directory = await ledgerWithOneAppend();
    expect(readdirSync(directory).sort()).toEqual(['ledger.db', 'ledger.lock']);
    const copy = directoryOf();
    writeFileSync(join(copy, 'ledger.db'), readFileSync(join(directory, 'ledger.db')));
    const store = await SqliteEventStore.open(copy);
    expect(await wholeLog(store)).toHaveLength(3);
    await store.close();
  });

  it('holds everything in itself once it is closed, also while somebody reads it', async () => {
    const directory = await ledgerWithOneAppend();
    const reader = await SqliteEventStore.openReadOnly(directory);
    const store = await SqliteEventStore.open(directory);
    await store.append(knownWork('a', 1));
    await store.close();
    const copy = directoryOf();
    writeFileSync(join(copy, 'ledger.db'), readFileSync(join(directory, 'ledger.db')));
    const copied = await SqliteEventStore.openReadOnly(copy);
    expect(await wholeLog(copied)).toHaveLength(6);
    await copied.close();
    await reader.close();
  });
});

describe('a file that is not ours to touch', () => {
  type Refusal = new (...given: never[]) => Error;
  type Place = readonly [what: string, prepare: (directory: string) => unknown, refusal: Refusal];
  const put = (content: string) => (directory: string) => writeFileSync(join(directory, 'ledger.db'), content);
  const places: readonly Place[] = [
    ['a ledger of a newer format', newerLedger, LedgerTooNew],
    ['a database of another program', (directory) => make(directory, 'CREATE TABLE t (a)'), NotALedger],
    ['one that counts its formats as we do', (directory) => make(directory, 'PRAGMA user_version = 1'), NotALedger],
    ['an empty database', (directory) => make(directory, 'VACUUM'), NotALedger],
    ['a ledger of no format', (directory) => make(directory, 'PRAGMA application_id = 0x43445354'), NotALedger],
    ['no database', put('text '.repeat(999)), NotALedger],
    ['an empty file', put(''), NotALedger],
  ];

  it.each(places)('is refused and left as it is: %s', async (_what, prepare, refusal) => {
    const directory = directoryOf();
    await prepare(directory);
    const before = readFileSync(join(directory, 'ledger.db'));
    await expect(SqliteEventStore.open(directory)).rejects.toThrow(refusal);
    await expect(SqliteEventStore.openReadOnly(directory)).rejects.toThrow(refusal);
    expect(readFileSync(join(directory, 'ledger.db')).equals(before)).toBe(true);
    // And nobody holds the lock any more.
    await expect(SqliteEventStore.open(directory)).rejects.toThrow(refusal);
  });

  it('is named with its format and ours when it is newer', async () => {
    const directory = directoryOf();
    await newerLedger(directory);
    await expect(SqliteEventStore.open(directory)).rejects.toMatchObject({ found: 3, newestKnown: 2 });
  });

  it('is a ledger without its tables, which cannot be read', async () => {
    const directory = await ledgerWithOneAppend();
    meddle(directory, 'DROP TABLE event');
    await expect(SqliteEventStore.openReadOnly(directory)).rejects.toThrow(LedgerUnreadable);
    await expect(SqliteEventStore.open(directory)).rejects.toThrow(LedgerUnreadable);
  });
});

describe('looking for a ledger', () => {
  it('in a directory without one makes none', async () => {
    const directory = directoryOf();
    await expect(SqliteEventStore.openReadOnly(directory)).rejects.toThrow(LedgerMissing);
    await expect(SqliteEventStore.openReadOnly(join(directory, 'nowhere'))).rejects.toThrow(LedgerMissing);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('where a file is in the place of the directory fails', async () => {
    const path = join(directoryOf(), 'file');
    writeFileSync(path, '');
    await expect(SqliteEventStore.open(path)).rejects.toMatchObject({ code: 'EEXIST' });
  });
});

async function newerLedger(directory: string): Promise<void> {
  const store = await SqliteEventStore.open(directory);
  await store.append(knownWork('a', 0));
  await store.close();
  meddle(directory, 'PRAGMA user_version = 3');
}

function make(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, 'ledger.db'));
  db.exec(sql);
  db.close();
}
