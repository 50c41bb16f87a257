import { type Command } from 'commander';
import { CorruptEvent, CorruptLog } from '@cadastre/event-store';
import { LedgerUnreadable, SqliteEventStore } from '@cadastre/event-store-sqlite';
import { DamagedHistory, replay, type Replayed } from '@cadastre/ledger';
import { ReplayMismatch, UnreadableEvent } from '@cadastre/lifecycle';
import { CommandFailed, exitCode } from '../exit-code.js';
import { messageOf } from '../system-error.js';
import { paint, print, printJson, progress, table } from '../terminal.js';

export function addReplay(program: Command): void {
  program.command('replay')
    .description('fold every stream of a ledger from its events alone and print a digest for each device')
    .requiredOption('--data <dir>', 'directory of the ledger; a server may be running on it')
    .option('--json', 'print as JSON')
    .action(async ({ data, json }: { data: string; json?: boolean }) => {
      const replayed = await replayDirectory(data);
      if (json) printJson(replayed);
      else show(replayed);
    });
}

async function replayDirectory(directory: string): Promise<Replayed> {
  const store = await open(directory);
  const bar = progress('replaying events');
  try {
    // Indexes first: an event that no index finds is missing for every reader but this one.
    const [problem] = await store.integrity();
    if (problem !== undefined) throw new CommandFailed(exitCode.integrityFailed, `the ledger is damaged: ${problem}`);
    return await replay(store, (done, total) => bar.update(done, total));
  } catch (error) {
    if (!isIntegrity(error)) throw error;
    throw new CommandFailed(exitCode.integrityFailed, `the ledger is damaged: ${error.message}`);
  } finally {
    bar.stop();
    await store.close();
  }
}

async function open(directory: string): Promise<SqliteEventStore> {
  try {
    return await SqliteEventStore.openReadOnly(directory);
  } catch (error) {
    throw new CommandFailed(exitCode.io, `cannot read the ledger in ${directory}: ${messageOf(error)}`);
  }
}

function isIntegrity(error: unknown): error is Error {
  return error instanceof CorruptEvent || error instanceof CorruptLog
    || error instanceof ReplayMismatch || error instanceof UnreadableEvent
    || error instanceof DamagedHistory || error instanceof LedgerUnreadable;
}

function show({ events, functions, devices, ledgerDigest }: Replayed): void {
  if (devices.length > 0) {
    // What the guest reads is what people compare; a detached device shows nothing, so its state is told.
    print(table(['device', 'state', 'revision', 'digest of', ''], devices.map((one) => [
      one.stream.replace('device-', ''), one.state, String(one.revision),
      one.guestConfigSpaceDigest ? 'guest bytes' : 'state', one.guestConfigSpaceDigest ?? one.stateDigest,
    ])));
  }
  print(`${events} events, ${functions} functions, ${devices.length} devices`);
  print(`ledger ${paint('bold', ledgerDigest)}`);
}
