import { CorruptEvent, CorruptLog } from '@cadastre/event-store';
import { DamagedIndex, LedgerUnreadable } from '@cadastre/event-store-sqlite';
import { DamagedHistory } from '@cadastre/ledger';
import { ReplayMismatch, UnreadableEvent } from '@cadastre/lifecycle';
import { CommandFailed, exitCode } from './exit-code.js';

/** Whether what stands in the file of a ledger is not what was written there. */
export function isDamage(error: unknown): error is Error {
  return error instanceof DamagedIndex || error instanceof CorruptLog || error instanceof CorruptEvent;
}

/** Does what reads a whole ledger: damage it meets ends the command, and the event is named. */
export async function tellingDamage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDamage(error) && !isNoHistory(error)) throw error;
    throw new CommandFailed(exitCode.integrityFailed, `the ledger is damaged: ${error.message}`);
  }
}

/** Whether events can be read, but not as a history this version could have written; or cannot be read at all. */
function isNoHistory(error: unknown): error is Error {
  return error instanceof ReplayMismatch || error instanceof UnreadableEvent || error instanceof DamagedHistory
    || error instanceof LedgerUnreadable;
}
