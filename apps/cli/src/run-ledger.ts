import { type AddressInfo } from 'node:net';
import { CorruptEvent, CorruptLog } from '@cadastre/event-store';
import { DamagedIndex, LedgerInUse, SqliteEventStore } from '@cadastre/event-store-sqlite';
import { systemClock } from '@cadastre/ledger';
import { UnreadableEvent } from '@cadastre/lifecycle';
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

/**
 * Opens the ledger in a directory and serves it. A fenced store never heals: when storage fails, whoever waits is told
 * that the outcome is unknown, and then the process ends.
 */
export async function runLedger(directory: string, host: string, port: number): Promise<RunningLedger> {
  let ending: NodeJS.Timeout | undefined;
  // Called by a reply that says so, and by the store itself: it may fence at a checkpoint, with nobody waiting.
  const endSoon = (): void => {
    if (ending) return;
    ending = setTimeout(() => process.exit(exitCode.io), graceMs);
    say('cadastre: storage failed, the outcome of the last writes is unknown; ending. Start again to go on.');
  };
  const store = await openStore(directory, endSoon);
  const app = await openServer(store, endSoon);
  try {
    await app.init();
    // Not Nest's listen, which writes a second message of its own when the port is taken.
    await app.getHttpAdapter().getInstance().listen({ port, host });
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

async function openServer(store: SqliteEventStore, onOutcomeUnknown: () => void): ReturnType<typeof createServer> {
  try {
    return await createServer({ store, clock: systemClock, onOutcomeUnknown });
  } catch (error) {
    await store.close();
    if (!(error instanceof UnreadableEvent)) throw error;
    throw new CommandFailed(exitCode.integrityFailed, `this version cannot read the ledger: ${error.message}`);
  }
}

async function openStore(directory: string, onFence: () => void): Promise<SqliteEventStore> {
  try {
    return await SqliteEventStore.open(directory, { onFence });
  } catch (error) {
    const code = error instanceof LedgerInUse ? exitCode.conflict
      : isDamage(error) ? exitCode.integrityFailed : exitCode.io;
    throw new CommandFailed(code, `cannot open the ledger in ${directory}: ${messageOf(error)}`);
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof DamagedIndex || error instanceof CorruptLog || error instanceof CorruptEvent;
}

/** Resolves at the first SIGINT or SIGTERM. */
export function untilSignalled(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
  });
}
