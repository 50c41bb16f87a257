import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteBusy, sqliteCode } from './sqlite-error.js';

const fileName = 'ledger.lock';

/** Thrown when another store, here or in another process, is writing to the directory. */
export class LedgerInUse extends Error {
  override readonly name = 'LedgerInUse';
  readonly directory: string;

  constructor(directory: string, options?: ErrorOptions) {
    const path = join(directory, fileName);
    super(`Somebody else is writing to the ledger in ${directory}: stop that process first (\`fuser -v ${path}\` `
      + 'names it) or choose another directory; `cadastre replay` reads beside a writer', options);
    this.directory = directory;
  }
}

/**
 * The right to write to one directory, which one holder has at a time. It is a file lock of the operating system, held
 * by an open transaction on an empty SQLite file: however its process ends, nothing stale is left behind.
 */
// Nobody may open this file by other means: POSIX drops all locks a process has on a file when it closes any
// descriptor of it. SQLite knows, and keeps count over all its connections.
export class LedgerLock {
  readonly #db: DatabaseSync;

  /** Throws `LedgerInUse` at once when somebody else has it; does not wait. */
  constructor(directory: string) {
    this.#db = new DatabaseSync(join(directory, fileName), { timeout: 0 });
    try {
      // No journal on disk: nothing is ever written here, and it would stay behind when the process is killed.
      this.#db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (cause) {
      this.#db.close();
      throw sqliteCode(cause) === sqliteBusy ? new LedgerInUse(directory, { cause }) : cause;
    }
  }

  release(): void {
    this.#db.close();
  }
}
