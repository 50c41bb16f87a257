import { type AddressInfo } from 'node:net';
import { LedgerInUse, SqliteEventStore } from '@cadastre/event-store-sqlite';
import { systemClock } from '@cadastre/ledger';
import { createServer } from '@cadastre/server';
import { CommandFailed, exitCode } from './exit-code.js';
import { messageOf } from './system-error.js';
import { say } from './terminal.js';

export interface RunningLedger {
  readonly url: string;
  /** Finishes the requests under way, then the store. */
  close(): Promise<void>;
}

/** Time for replies that say `outcome: unknown` to leave before the process ends. */
const graceMs = 1_000;

/** Opens the ledger in a directory and serves it. Ends the process when storage fails: a fenced store never heals. */
export async function runLedger(directory: string, host: string, port: number): Promise<RunningLedger> {
  const end = (): void => {
    say('cadastre: storage failed, the outcome of the last writes is unknown; ending. Start again to go on.');
    process.exit(exitCode.io);
  };
  // A store may fence itself with nobody waiting, at a checkpoint; whoever waits is answered before the end.
  const store = await openStore(directory, () => setTimeout(end, graceMs).unref());
  const app = await createServer({ store, clock: systemClock, onOutcomeUnknown: end });
  try {
    await app.listen(port, host);
  } catch (error) {
    await store.close();
    throw new CommandFailed(exitCode.unavailable, `cannot listen on ${host}:${port}: ${messageOf(error)}`);
  }
  const address = app.getHttpServer().address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${address.port}`,
    async close() {
      await app.close();
      await store.close();
    },
  };
}

async function openStore(directory: string, onFence: () => void): Promise<SqliteEventStore> {
  try {
    return await SqliteEventStore.open(directory, { onFence });
  } catch (error) {
    const code = error instanceof LedgerInUse ? exitCode.conflict : exitCode.io;
    throw new CommandFailed(code, `cannot open the ledger in ${directory}: ${messageOf(error)}`);
  }
}

/** Resolves at the first SIGINT or SIGTERM. */
export function untilSignalled(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
  });
}
