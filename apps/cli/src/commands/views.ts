import { type Command } from 'commander';
import { type SqliteEventStore } from '@cadastre/event-store-sqlite';
import { checkStates, type StateCheck } from '@cadastre/ledger';
import {
  checkViews, type Halt, isViewFailure, rebuildViews, type ViewCheck, type ViewState, withSavedStates,
} from '@cadastre/views';
import { CommandFailed, exitCode } from '../exit-code.js';
import { tellingDamage } from '../ledger-damage.js';
import { openStore, openStoreToRead, viewsOf } from '../run-ledger.js';
import { print, printJson, progress, say } from '../terminal.js';

interface ViewOptions {
  readonly data: string;
  readonly json?: boolean;
}

export function addViews(program: Command): void {
  const views = program.command('views').description('the lists of a ledger, which can be built anew from its events');
  views.command('rebuild')
    .description('build the lists anew from the events; no server may be running on the ledger')
    .requiredOption('--data <dir>', 'directory of the ledger')
    .option('--json', 'print as JSON')
    .action(rebuild);
  views.command('check')
    .description('compare the lists with what the events give; a server may be running on the ledger')
    .requiredOption('--data <dir>', 'directory of the ledger')
    .option('--json', 'print as JSON')
    .action(check);
}

async function rebuild({ data, json }: ViewOptions): Promise<void> {
  const store = await openStoreThatIs(data);
  const bar = progress('taking in events');
  try {
    const start = performance.now();
    const { state, halted } = await tellingFailure(`cannot build the lists in ${data}`,
      () => rebuildViews(store, viewsOf(data), (done, total) => bar.update(done, total)));
    const seconds = (performance.now() - start) / 1_000;
    bar.stop();
    const events = eventsIn(state);
    if (json) printJson({ events, eventsPerSecond: Math.round(events / seconds), ...state, halted });
    else {
      print(`${events} events taken in, ${(events / seconds).toFixed(0)} a second: ${rowsIn(state)}`);
      print(state.digest);
    }
    failIfHalted(halted);
  } finally {
    bar.stop();
    await store.close();
  }
}

/** Opens a ledger to keep others from writing; one that is not there has no lists, and is not made. */
async function openStoreThatIs(directory: string): Promise<SqliteEventStore> {
  const found = await openStoreToRead(directory);
  await found.close();
  return openStore(directory, () => undefined);
}

async function check({ data, json }: ViewOptions): Promise<void> {
  const { found, rebuilt, kept } = await compare(data);
  const equal = found.digest === rebuilt.digest && kept.wrong.length === 0;
  if (json) printJson({ equal, found, rebuilt, kept });
  else if (equal) {
    print(`the lists are what ${eventsIn(found)} events give: ${rowsIn(found)}\n${found.digest}`);
    if (kept.states > 0) print(`${kept.states} kept states are what their streams give`);
  }
  if (equal) return;
  for (const { stream, revision } of kept.wrong) say(`the state kept of ${stream} at ${revision} is not what it gives`);
  say(`lists   ${found.digest}: ${rowsIn(found)}`);
  say(`events  ${rebuilt.digest}: ${rowsIn(rebuilt)}`);
  throw new CommandFailed(exitCode.integrityFailed,
    `the lists are not what the events give; cadastre views rebuild --data ${data} mends that`);
}

async function compare(directory: string): Promise<ViewCheck & { readonly kept: StateCheck }> {
  const store = await openStoreToRead(directory);
  const bar = progress('taking in events');
  try {
    const path = viewsOf(directory);
    return await tellingFailure(`cannot read the views in ${directory}`, async () => {
      const check = await checkViews(store, path, (done, total) => bar.update(done, total));
      return { ...check, kept: await withSavedStates(path, (states) => checkStates(store, states)) };
    });
  } finally {
    bar.stop();
    await store.close();
  }
}

/** Does work that reads the ledger and the file of its lists, and tells which of the two failed. */
async function tellingFailure<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await tellingDamage(work);
  } catch (error) {
    if (!isViewFailure(error)) throw error;
    throw new CommandFailed(exitCode.io, `${what}: ${error.message}`);
  }
}

function failIfHalted(halted: readonly Halt[]): void {
  const [first] = halted;
  if (!first) return;
  const { view, position, reason } = first;
  throw new CommandFailed(exitCode.integrityFailed,
    `the view of ${view} cannot take in event ${position}: ${reason}; the lists are left as they were`);
}

function eventsIn({ positions }: ViewState): number {
  return Math.max(...positions.map((position) => (position ?? -1) + 1));
}

function rowsIn({ rows }: ViewState): string {
  return `${rows.functions} functions, ${rows.devices} devices, ${rows.clashes} clashes`;
}
