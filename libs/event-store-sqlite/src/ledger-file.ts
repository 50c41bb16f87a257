import assert from 'node:assert/strict';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { syncDirectory } from './durable-directory.js';
import { sqliteCode, sqliteNotADatabase } from './sqlite-error.js';

/** The location that keeps a ledger in memory only, as SQLite spells it. */
export const inMemory = ':memory:';

/** What we write and read. A file of a newer format is left alone: we would not know what we overlook. */
export const formatVersion = 2;

/** The format before, which the first writer makes the newest: it had no seals of pages. */
const formatWithoutSeals = 1;

/** How long a statement waits for somebody else's lock on the file, for example a backup that has just begun. */
const busyTimeoutMs = 1_000;

/**
 * A new ledger has pages of 8 KiB: of events with 2 KiB of data three fit a page, where a page of 4 KiB holds one and
 * wastes the rest. Measured: a third less file, and 40 % more appends by 64 writers.
 */
export const pageBytes = 8_192;

/** How much of the file SQLite keeps in memory: the hot part of the index of ids, which are spread evenly. */
const cacheKib = 32 * 1_024;

/** `CDST`; marks the file as ours, for us and for file(1). See "PRAGMA application_id". */
const applicationId = 0x43445354;

const fileName = 'ledger.db';

// New with format 2: see sealed-page.ts. Of a file that was begun before, the older pages have no seal.
const pages = `
  CREATE TABLE page (
    page   INTEGER PRIMARY KEY CHECK (page >= 0),
    sha256 TEXT NOT NULL
  ) STRICT;
`;

// `seal` is the hash of an event's envelope: see event-row.ts. `ledger.events` is the next position, and tells a log
// whose last events were lost from one that never had them.
const schema = `
  CREATE TABLE ledger (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    events   INTEGER NOT NULL CHECK (events >= 0)
  ) STRICT;
  INSERT INTO ledger (only_row, events) VALUES (1, 0);

  CREATE TABLE stream (
    stream_id INTEGER PRIMARY KEY,
    name      TEXT NOT NULL UNIQUE,
    revision  INTEGER NOT NULL CHECK (revision >= 0)
  ) STRICT;

  CREATE TABLE event (
    position  INTEGER PRIMARY KEY CHECK (position >= 0),
    stream_id INTEGER NOT NULL REFERENCES stream (stream_id),
    revision  INTEGER NOT NULL CHECK (revision >= 0),
    id        TEXT NOT NULL UNIQUE,
    type      TEXT NOT NULL,
    sha256    TEXT NOT NULL,
    seal      TEXT NOT NULL,
    data      BLOB NOT NULL,
    UNIQUE (stream_id, revision)
  ) STRICT;

  ${pages}
`;

/** Thrown when there is no ledger to read in a directory. */
export class LedgerMissing extends Error {
  override readonly name = 'LedgerMissing';

  constructor(directory: string) {
    super(`There is no ledger in ${directory}: check the directory; a server makes the ledger when it first starts`);
  }
}

/** Thrown when the file in the place of the ledger is something else. It is left as it is. */
export class NotALedger extends Error {
  override readonly name = 'NotALedger';

  constructor(path: string, options?: ErrorOptions) {
    super(`${path} is not a Cadastre ledger: choose another directory, or put the right file back`, options);
  }
}

/** Thrown when the ledger was written by a newer Cadastre. It is left as it is. */
export class LedgerTooNew extends Error {
  override readonly name = 'LedgerTooNew';
  readonly found: number;
  readonly newestKnown: number = formatVersion;

  constructor(path: string, found: number) {
    super(`${path} has format ${found}, and this Cadastre knows formats up to ${formatVersion}: use a newer Cadastre`);
    this.found = found;
  }
}

/** Thrown when SQLite cannot read the file: an I/O error, or pages that make no sense. */
export class LedgerUnreadable extends Error {
  override readonly name = 'LedgerUnreadable';

  constructor(cause: unknown) {
    super('The ledger cannot be read: check the disk, then compare the ledger with a backup', { cause });
  }
}

/** Makes the ledger unless it is there. Only for who holds the `LedgerLock` of the directory. */
export function openToWrite(directory: string): DatabaseSync {
  const path = join(directory, fileName);
  if (!existsSync(path)) create(directory, path);
  // Looked at read-only first: a connection that may write would touch a file that is not ours to touch.
  openToRead(directory).close();
  const db = prepared(new DatabaseSync(path, { timeout: busyTimeoutMs, defensive: true }), 'wal');
  if (pragma(db, 'user_version') === formatWithoutSeals) {
    db.exec(`BEGIN; ${pages} PRAGMA user_version = ${formatVersion}; COMMIT`);
  }
  return db;
}

/** Throws `LedgerMissing`, `NotALedger` or `LedgerTooNew`. Works beside a writer, and needs no lock. */
export function openToRead(directory: string): DatabaseSync {
  const path = join(directory, fileName);
  if (!existsSync(path)) throw new LedgerMissing(directory);
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs, defensive: true });
  try {
    // Read without seals, event by event, as long as nobody has written to it.
    if (formatOf(db, path) === formatWithoutSeals) db.exec(pages.replace('CREATE TABLE', 'CREATE TEMP TABLE'));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A new ledger that is gone when it is closed. */
export function openInMemory(): DatabaseSync {
  const db = new DatabaseSync(inMemory, { defensive: true });
  shape(db);
  return prepared(db, 'memory');
}

// Made under another name and then renamed: a ledger is there completely or not at all, whenever the power fails.
function create(directory: string, path: string): void {
  const unborn = `${path}.new`;
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(unborn + suffix, { force: true });
  const db = new DatabaseSync(unborn, { defensive: true });
  shape(db);
  db.exec('PRAGMA journal_mode = WAL');
  db.close();
  renameSync(unborn, path);
  syncDirectory(directory);
}

function shape(db: DatabaseSync): void {
  db.exec(`PRAGMA page_size = ${pageBytes}`);
  db.exec(`BEGIN; ${schema} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${formatVersion}; COMMIT`);
}

/** Throws `NotALedger` or `LedgerTooNew` on what is no file of a format we know. */
function formatOf(db: DatabaseSync, path: string): number {
  const { owner, format } = identityOf(db, path);
  if (owner === applicationId && format > formatVersion) throw new LedgerTooNew(path, format);
  if (owner !== applicationId || format < formatWithoutSeals) throw new NotALedger(path);
  return format;
}

function identityOf(db: DatabaseSync, path: string): { owner: number; format: number } {
  try {
    return { owner: Number(pragma(db, 'application_id')), format: Number(pragma(db, 'user_version')) };
  } catch (cause) {
    throw sqliteCode(cause) === sqliteNotADatabase ? new NotALedger(path, { cause }) : new LedgerUnreadable(cause);
  }
}

/** Makes a connection keep our promises, and makes sure that it does: SQLite ignores a pragma it does not know. */
function prepared(db: DatabaseSync, journalMode: 'wal' | 'memory'): DatabaseSync {
  const settings: readonly (readonly [string, string | number, string | number])[] = [
    ['journal_mode', journalMode, journalMode],
    ['synchronous', 'FULL', 2],         // an fsync before COMMIT returns: NORMAL lost acknowledged events
    ['fullfsync', 'ON', 1],             // on macOS a plain fsync does not reach the disk
    ['checkpoint_fullfsync', 'ON', 1],
    ['wal_autocheckpoint', 0, 0],       // SQLite hides what fails in there, so we checkpoint: see ledger-log.ts
    ['foreign_keys', 'ON', 1],
    ['trusted_schema', 'OFF', 0],       // a schema that was tampered with must not call functions of ours
    ['cell_size_check', 'ON', 1],
    ['cache_size', -cacheKib, -cacheKib],
  ];
  for (const [name, given, expected] of settings) {
    db.exec(`PRAGMA ${name} = ${given}`);
    assert.equal(pragma(db, name), expected, `SQLite did not take PRAGMA ${name} = ${given}`);
  }
  return db;
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}
