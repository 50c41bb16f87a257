import { type Command } from 'commander';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import { checkStates, type StateCheck } from '@cadastre/ledger';
import {
  checkViews, type Halt, type ViewCheck, Views, type ViewState, ViewsUnusable, withSavedStates,
} from '@cadastre/views';
import { CommandFailed, exitCode } from '../exit-code.js';
import { openStore, viewsOf } from '../run-ledger.js';
import { messageOf } from '../system-error.js';
import { print, printJson, progress, say } from '../terminal.js';

interface ViewOptions {
  readonly data: string;
  readonly json?: boolean;
}

export function addViews(program: Command): void {
  const views = program.command('views').description('the lists of a ledger, which can be built anew from its events');
  views.command('rebuild')
    .description('throw the lists away and build them anew; no server may be running on the ledger')
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
  const store = await openStore(data, () => undefined);
  const bar = progress('taking in events');
  try {
    const views = Views.anew(store, viewsOf(data));
    const start = performance.now();
    await views.follow((done, total) => bar.update(done, total));
    const seconds = (performance.now() - start) / 1_000;
    bar.stop();
    const state = views.state();
    const halted = views.halted();
    await views.close();
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
  const store = await openToRead(directory);
  const bar = progress('taking in events');
  try {
    const path = viewsOf(directory);
    const check = await checkViews(store, path, (done, total) => bar.update(done, total));
    return { ...check, kept: await withSavedStates(path, (states) => checkStates(store, states)) };
  } catch (error) {
    if (!(error instanceof ViewsUnusable)) throw error;
    throw new CommandFailed(exitCode.io, `cannot read the views in ${directory}: ${error.message}`);
  } finally {
    bar.stop();
    await store.close();
  }
}

async function openToRead(directory: string): Promise<SqliteEventStore> {
  try {
    return await SqliteEventStore.openReadOnly(directory);
  } catch (error) {
    throw new CommandFailed(exitCode.io, `cannot read the ledger in ${directory}: ${messageOf(error)}`);
  }
}

function failIfHalted(halted: readonly Halt[]): void {
  const [first] = halted;
  if (!first) return;
  const { view, position, reason } = first;
  throw new CommandFailed(exitCode.integrityFailed, `the view of ${view} cannot take in event ${position}: ${reason}`);
}

function eventsIn({ positions }: ViewState): number {
  return Math.max(...positions.map((position) => (position ?? -1) + 1));
}

function rowsIn({ rows }: ViewState): string {
  return `${rows.functions} functions, ${rows.devices} devices, ${rows.clashes} clashes`;
}
