import { type DatabaseSync } from 'node:sqlite';
import { types } from 'node:util';
import {
  type AppendOutcome, appendBytesMax, dataBytesOf, type EventId, type EventStore, freezeBatch, type FrozenAppend,
  type LogPage, pageLimit, type ReadAllOptions, type ReadStreamOptions, type RecordedEvent, StoreClosed,
  type StoreHealth, type StreamAppend, type StreamName, type StreamPage, StreamRevision,
} from '@cadastre/event-store';
import { makeDurableDirectory } from './durable-directory.js';
import { GroupQueue } from './group-queue.js';
import { inMemory, openInMemory, openToRead, openToWrite } from './ledger-file.js';
import { LedgerLock } from './ledger-lock.js';
import { LedgerLog } from './ledger-log.js';

/** The most appends in one transaction: beyond some hundreds the fsync they share no longer counts. */
export const groupAppendsMax = 512;

/** The most bytes of data in one transaction: as much as a single append may bring, so that any fits. */
export const groupBytesMax = appendBytesMax;

/** Thrown by an append to a ledger that was opened to be read. */
export class LedgerReadOnly extends Error {
  override readonly name = 'LedgerReadOnly';

  constructor() {
    super('The ledger was opened read-only');
  }
}

/** Why a store takes no more appends: writing failed once, and the file is not to be trusted until it is read anew. */
export class LedgerFenced extends Error {
  override readonly name = 'LedgerFenced';

  constructor(cause: Error) {
    super(`The ledger takes no more appends since writing failed (${cause.message}): restart the process`, { cause });
  }
}

export interface SqliteOptions {
  /** Called once, with why, when the store fences itself: time to answer what is under way, and exit. */
  readonly onFence?: (fenced: LedgerFenced) => void;
}

interface PendingAppend {
  readonly batch: readonly FrozenAppend[];
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * The log in a directory of its own, in one SQLite file. Appends that are asked for in the same turn of the event loop
 * share a transaction and its fsync; none is answered before COMMIT has returned. The first error in writing fences
 * the store: that group and every later append is `unknown`, and COMMIT is never tried again.
 */
export class SqliteEventStore implements EventStore {
  readonly #log: LedgerLog;
  readonly #lock: LedgerLock | undefined;
  readonly #readOnly: boolean;
  readonly #options: SqliteOptions;
  readonly #queue: GroupQueue<PendingAppend>;
  #checkpointTurn: NodeJS.Immediate | undefined;
  #fenced: LedgerFenced | undefined;
  #closed = false;

  private constructor(
    log: LedgerLog, options: SqliteOptions, { lock, readOnly }: { lock?: LedgerLock; readOnly: boolean },
  ) {
    this.#log = log;
    this.#lock = lock;
    this.#readOnly = readOnly;
    this.#options = options;
    const bounds = { itemsMax: groupAppendsMax, bytesMax: groupBytesMax };
    this.#queue = new GroupQueue(bounds, (group) => this.#commit(group));
  }

  /**
   * Opens the ledger in `location`, a directory, and makes both unless they are there; or a ledger that is gone when
   * it is closed, for `:memory:`. Rejects with `LedgerInUse` while somebody else writes there, with `NotALedger` or
   * `LedgerTooNew` when the file is not ours to touch, and with `CorruptLog` or `CorruptEvent` when the end of the log
   * is damaged, with `DamagedIndex` when the names of the streams are.
   */
  static open(location: string, options: SqliteOptions = {}): Promise<SqliteEventStore> {
    return soon(() => {
      if (location === inMemory) return new SqliteEventStore(logIn(openInMemory()), options, { readOnly: false });
      makeDurableDirectory(location);
      const lock = new LedgerLock(location);
      try {
        const log = logIn(openToWrite(location), (it) => {
          it.assertHead();
          it.assertStreams();
        });
        return new SqliteEventStore(log, options, { lock, readOnly: false });
      } catch (error) {
        lock.release();
        throw error;
      }
    });
  }

  /** Opens the ledger in `directory` beside whoever writes to it. Rejects with `LedgerMissing` when there is none. */
  static openReadOnly(directory: string): Promise<SqliteEventStore> {
    return soon(() => new SqliteEventStore(logIn(openToRead(directory)), {}, { readOnly: true }));
  }

  /** How many transactions have written events since the store was opened: appends that shared one count once. */
  get commits(): number {
    return this.#log.commits;
  }

  append(batch: readonly StreamAppend[]): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new StoreClosed();
      if (this.#readOnly) throw new LedgerReadOnly();
      const frozen = freezeBatch(batch);
      this.#queue.add({ batch: frozen, resolve, reject }, dataBytesOf(frozen.flatMap(({ events }) => events)));
    });
  }

  readStream(stream: StreamName, options: ReadStreamOptions = {}): Promise<StreamPage> {
    return this.#read((log) =>
      log.readStream(stream, options.from ?? StreamRevision.from(0), pageLimit(options.limit)));
  }

  readAll(options: ReadAllOptions = {}): Promise<LogPage> {
    return this.#read((log) => log.readAll(options.after ?? 'start', pageLimit(options.limit)));
  }

  findEvent(id: EventId): Promise<RecordedEvent | undefined> {
    return this.#read((log) => log.findEvent(id));
  }

  /**
   * What SQLite finds wrong with the file: pages, indexes, constraints; empty when nothing. Sees what no read of
   * events can, for example an index that has lost an id. Blocks for as long as it takes to read everything.
   */
  integrity(): Promise<readonly string[]> {
    return this.#read((log) => log.integrity());
  }

  check(): Promise<StoreHealth> {
    const reason = this.#closed ? 'the store is closed'
      : this.#readOnly ? 'the ledger was opened read-only'
        : this.#fenced?.message;
    return Promise.resolve(reason === undefined ? { writable: true } : { writable: false, reason });
  }

  close(): Promise<void> {
    return soon(() => {
      if (this.#closed) return;
      this.#queue.flush();
      clearImmediate(this.#checkpointTurn);
      this.#closed = true;
      try {
        if (!this.#readOnly && !this.#fenced) this.#log.checkpoint();
      } finally {
        this.#log.close();
        this.#lock?.release();
      }
    });
  }

  #commit(group: readonly PendingAppend[]): void {
    try {
      if (this.#fenced) throw this.#fenced;
      const told = this.#log.writeGroup(group.map(({ batch }) => batch));
      for (const [index, { resolve, reject }] of group.entries()) {
        const one = told[index];
        if (one?.status === 'fulfilled') resolve(one.value);
        else reject(one?.reason);
      }
    } catch (error) {
      const cause = asError(error);
      for (const { resolve } of group) resolve({ kind: 'unknown', cause });
      this.#fence(cause);
      return;
    }
    // In a turn of its own: the answers go out first.
    this.#checkpointTurn ??= setImmediate(() => this.#checkpoint());
  }

  #checkpoint(): void {
    this.#checkpointTurn = undefined;
    if (this.#fenced) return;
    try {
      this.#log.checkpointWhenDue();
    } catch (error) {
      this.#fence(asError(error));
    }
  }

  #fence(cause: Error): void {
    if (this.#fenced) return;
    this.#fenced = new LedgerFenced(cause);
    this.#log.abandon();
    this.#options.onFence?.(this.#fenced);
  }

  #read<T>(read: (log: LedgerLog) => T): Promise<T> {
    return soon(() => {
      if (this.#closed) throw new StoreClosed();
      return read(this.#log);
    });
  }
}

function logIn(db: DatabaseSync, assertSound: (log: LedgerLog) => void = () => undefined): LedgerLog {
  try {
    const log = new LedgerLog(db);
    assertSound(log);
    return log;
  } catch (error) {
    db.close();
    throw error;
  }
}

// SQLite answers at once. The promise keeps the door open for a worker thread, and makes a rejection of what is thrown.
function soon<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

function asError(given: unknown): Error {
  return types.isNativeError(given) ? given : new Error(String(given), { cause: given });
}
