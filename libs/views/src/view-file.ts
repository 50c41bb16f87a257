import { existsSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { types } from 'node:util';

/** The location that keeps views in memory only, as SQLite spells it. */
export const inMemory = ':memory:';

/** The file in a ledger's directory that holds its views. */
export const viewFileName = 'views.sqlite';

/** Raise it when a table, or what a projection writes into one, changes: older files are then built anew. */
export const viewsVersion = 8;

/** `CDSV`; marks the file as ours. See "PRAGMA application_id". */
const applicationId = 0x43445356;

/** How long a statement waits for somebody else's lock, for example a backup. */
const busyTimeoutMs = 1_000;

/** What SQLite keeps in memory: an index over 100,000 devices, and more. */
const cacheKib = 32 * 1_024;

/** The WAL is moved into the file at 32 MiB: rows of a new ledger change the same pages time and again. */
const checkpointAfterPages = 8_192;

// In the order of streams everywhere, since pages are. What a filter may ask and many rows share is their kind: kinds
// are few, and the rows of each stand in order, so those that do not fit are not even passed over. There is no
// ANALYZE: `list-query.ts` says which index is used, on every machine.
const schema = `
  CREATE TABLE function_kind (
    id           INTEGER PRIMARY KEY,
    capabilities TEXT NOT NULL,
    model        TEXT NOT NULL,
    claimed      INTEGER NOT NULL,
    UNIQUE (capabilities, model, claimed)
  ) STRICT;

  CREATE TABLE function (
    stream        TEXT PRIMARY KEY NOT NULL,
    host          TEXT NOT NULL,
    address       TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    since         INTEGER NOT NULL,
    vendor_id     INTEGER NOT NULL,
    device_id     INTEGER NOT NULL,
    class_code    INTEGER NOT NULL,
    role          TEXT NOT NULL,
    pf            TEXT,
    vf_model      TEXT,
    kind          INTEGER NOT NULL REFERENCES function_kind (id),
    serial_number TEXT,
    structure     TEXT NOT NULL,
    vm            TEXT,
    device        TEXT,
    migration     TEXT,
    dangers       TEXT,
    retired       INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX function_in_order ON function (stream, since, kind);
  CREATE INDEX function_by_kind ON function (kind, stream);
  CREATE INDEX function_by_vm ON function (vm, stream) WHERE vm IS NOT NULL;
  CREATE INDEX function_by_pf ON function (host, pf, stream) WHERE pf IS NOT NULL;
  CREATE INDEX function_by_serial ON function (serial_number, stream) WHERE serial_number IS NOT NULL;

  CREATE TABLE family (
    host   TEXT NOT NULL,
    pf     TEXT NOT NULL,
    stream TEXT NOT NULL,
    PRIMARY KEY (host, pf, stream)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE device_kind (
    id           INTEGER PRIMARY KEY,
    capabilities TEXT NOT NULL,
    model        TEXT,
    state        TEXT NOT NULL,
    verdict      TEXT,
    UNIQUE (capabilities, model, state, verdict)
  ) STRICT;

  CREATE TABLE device (
    stream        TEXT PRIMARY KEY NOT NULL,
    vm            TEXT NOT NULL,
    device        TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    since         INTEGER NOT NULL,
    host          TEXT,
    address       TEXT,
    kind          INTEGER NOT NULL REFERENCES device_kind (id),
    layout_digest TEXT,
    vmm           TEXT
  ) STRICT;
  CREATE INDEX device_in_order ON device (stream, kind);
  CREATE INDEX device_by_kind ON device (kind, stream);
  CREATE INDEX device_by_host ON device (host, stream) WHERE host IS NOT NULL;
  CREATE INDEX device_by_layout ON device (layout_digest, stream, kind) WHERE layout_digest IS NOT NULL;
  CREATE INDEX device_by_vm ON device (vm, host, since);

  CREATE TABLE migration (
    stream   TEXT PRIMARY KEY NOT NULL,
    vm       TEXT NOT NULL,
    id       TEXT NOT NULL,
    revision INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    host     TEXT NOT NULL,
    state    TEXT NOT NULL,
    devices  INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX migration_in_order ON migration (since);
  CREATE INDEX migration_by_vm ON migration (vm, since);
  CREATE INDEX migration_by_host ON migration (host, since);
  CREATE INDEX migration_by_state ON migration (state, since);

  CREATE TABLE clash (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    position    INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    streams     TEXT NOT NULL,
    detail      TEXT NOT NULL
  ) STRICT;
  CREATE INDEX clash_by_kind ON clash (kind, id);
  CREATE TABLE clash_party (
    party TEXT NOT NULL,
    clash INTEGER NOT NULL REFERENCES clash (id),
    PRIMARY KEY (party, clash)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE model (
    name   TEXT PRIMARY KEY NOT NULL,
    looked INTEGER NOT NULL,
    seal   TEXT NOT NULL
  ) STRICT;
  CREATE TABLE model_capture (
    model  TEXT NOT NULL REFERENCES model (name),
    place  INTEGER NOT NULL,
    source TEXT NOT NULL,
    digest TEXT NOT NULL,
    in_use TEXT NOT NULL,
    PRIMARY KEY (model, place)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE saved_state (
    stream       TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    event_id     TEXT NOT NULL,
    event_sha256 TEXT NOT NULL,
    form         INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    text         TEXT NOT NULL,
    PRIMARY KEY (stream, revision)
  ) STRICT;
  CREATE TABLE saved_part (
    name TEXT PRIMARY KEY NOT NULL,
    text TEXT NOT NULL
  ) STRICT;

  CREATE TABLE checkpoint (
    view     TEXT PRIMARY KEY NOT NULL,
    position INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    sha256   TEXT NOT NULL
  ) STRICT;
`;

/** Thrown when a file in the place of the views cannot be used as it is; building it anew mends that. */
export class ViewsUnusable extends Error {
  override readonly name = 'ViewsUnusable';
}

/** Opens the views in a file, or makes empty ones where there is none. Throws `ViewsUnusable`. */
export function openViewFile(location: string): DatabaseSync {
  const db = new DatabaseSync(location, { timeout: busyTimeoutMs, defensive: true });
  try {
    // Whole after a crash, but perhaps behind: then they follow the log again. They are never the truth.
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF;
      PRAGMA cache_size = -${cacheKib}; PRAGMA wal_autocheckpoint = ${checkpointAfterPages}`);
    const { owner, version } = identityOf(db);
    if (owner === 0 && version === 0) shape(db);
    else assertOurs(owner, version);
    return db;
  } catch (cause) {
    db.close();
    throw unusable(cause);
  }
}

/** Opens views to be looked at beside the server that keeps them. Throws `ViewsUnusable`, also when there are none. */
export function openViewFileToRead(path: string): DatabaseSync {
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs, defensive: true });
    const { owner, version } = identityOf(db);
    assertOurs(owner, version);
    return db;
  } catch (cause) {
    throw unusable(cause);
  }
}

export function removeViewFile(path: string): void {
  if (path === inMemory) return;
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/** Puts a file of views that is closed in the place of another. Throws `ViewsUnusable` unless all of it is in there. */
export function replaceViewFile(path: string, whole: string): void {
  // The last to close a file moves its WAL into it.
  if (existsSync(`${whole}-wal`)) throw new ViewsUnusable(`${whole} is not whole: it is in use, or the disk is full`);
  // Never a new file beside an old WAL: SQLite would take that for its own.
  removeViewFile(path);
  renameSync(whole, path);
}

function shape(db: DatabaseSync): void {
  db.exec(`BEGIN; ${schema} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${viewsVersion}; COMMIT`);
}

function assertOurs(owner: number, version: number): void {
  if (owner !== applicationId) throw new ViewsUnusable('the file is not one of ours');
  if (version !== viewsVersion) throw new ViewsUnusable(`version ${version} is there, ${viewsVersion} is needed`);
}

function identityOf(db: DatabaseSync): { readonly owner: number; readonly version: number } {
  const pragma = (name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  return { owner: pragma('application_id'), version: pragma('user_version') };
}

/** Whether it is the file that fails, or what stands in it: not whoever asked. */
export function isViewFailure(error: unknown): error is Error {
  return error instanceof ViewsUnusable || (types.isNativeError(error) && 'errcode' in error);
}

function unusable(cause: unknown): ViewsUnusable {
  if (cause instanceof ViewsUnusable) return cause;
  return new ViewsUnusable(cause instanceof Error ? cause.message : String(cause), { cause });
}
