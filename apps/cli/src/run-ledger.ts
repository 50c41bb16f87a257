import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LedgerInUse, SqliteEventStore } from '@cadastre/event-store-sqlite';
import { systemClock } from '@cadastre/ledger';
import { UnreadableEvent } from '@cadastre/lifecycle';
import { createServer } from '@cadastre/server';
import { inMemory, viewFileName, Views } from '@cadastre/views';
import { CommandFailed, exitCode } from './exit-code.js';
import { isDamage } from './ledger-damage.js';
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
  const views = await openViews(store, directory);
  const app = await openServer(store, views, endSoon);
  try {
    await app.init();
    // Not Nest's listen, which writes a second message of its own when the port is taken.
    await app.getHttpAdapter().getInstance().listen({ port, host });
  } catch (error) {
    await views.close();
    await store.close();
    throw new CommandFailed(exitCode.unavailable, `cannot listen on ${host}:${port}: ${messageOf(error)}`);
  }
  const address = app.getHttpServer().address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  const ended = new AbortController();
  const following = keepFollowing(views, ended.signal);
  return {
    url: `http://${shown}:${address.port}`,
    async close() {
      await app.close();
      ended.abort();
      await following;
      await views.close();
      await store.close();
    },
  };
}

/** How often the lists take in what nobody has asked them for, so that the next question need not wait for it. */
const followEveryMs = 1_000;

async function keepFollowing(views: Views, ended: AbortSignal): Promise<void> {
  let said = '';
  while (!ended.aborted) {
    // Whoever asks for a list meanwhile hears of the failure as well.
    const problem = await views.follow().then(() => '', messageOf);
    if (problem !== '' && problem !== said && !ended.aborted) say(`cadastre: the lists do not follow: ${problem}`);
    said = problem;
    await sleep(followEveryMs, undefined, { signal: ended, ref: false }).catch(() => undefined);
  }
}

async function openViews(store: SqliteEventStore, directory: string): Promise<Views> {
  try {
    return await Views.open(store, viewsOf(directory), (line) => say(`cadastre: ${line}`));
  } catch (error) {
    await store.close();
    throw new CommandFailed(exitCode.io, `cannot open the views in ${directory}: ${messageOf(error)}`);
  }
}

/** Where the views of a ledger are. */
export function viewsOf(directory: string): string {
  return directory === inMemory ? inMemory : join(directory, viewFileName);
}

async function openServer(
  store: SqliteEventStore, views: Views, onOutcomeUnknown: () => void,
): ReturnType<typeof createServer> {
  try {
    return await createServer({ store, clock: systemClock, views, onOutcomeUnknown });
  } catch (error) {
    await views.close();
    await store.close();
    if (!(error instanceof UnreadableEvent)) throw error;
    throw new CommandFailed(exitCode.integrityFailed, `this version cannot read the ledger: ${error.message}`);
  }
}

export async function openStore(directory: string, onFence: () => void): Promise<SqliteEventStore> {
  try {
    return await SqliteEventStore.open(directory, { onFence });
  } catch (error) {
    const code = error instanceof LedgerInUse ? exitCode.conflict
      : isDamage(error) ? exitCode.integrityFailed : exitCode.io;
    throw new CommandFailed(code, `cannot open the ledger in ${directory}: ${messageOf(error)}`);
  }
}

/** Opens a ledger that is there, beside whoever writes to it. */
export async function openStoreToRead(directory: string): Promise<SqliteEventStore> {
  try {
    return await SqliteEventStore.openReadOnly(directory);
  } catch (error) {
    throw new CommandFailed(exitCode.io, `cannot read the ledger in ${directory}: ${messageOf(error)}`);
  }
}

/** Resolves at the first SIGINT or SIGTERM. */
export function untilSignalled(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
  });
}
