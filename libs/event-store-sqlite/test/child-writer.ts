// A process of its own that writes to a ledger: `child-writer.ts <directory> <name> <writers>`; with no writers it
// only holds the ledger open. Says on its standard output, line by line, what happens: `open`;
// `acked <writer> <step> <position>`; `unknown <writer> <step>`, and then `fenced <reason>` and an exit with 74
// (EX_IOERR of sysexits.h). Ends when its standard input does, so that it never outlives the test that started it.
import { writeSync } from 'node:fs';
import { type EventStore } from '@cadastre/event-store';
import { SqliteEventStore } from '../src/index.js';
import { knownWork } from './known-work.js';

const [directory = '', name = '', writers = '0'] = process.argv.slice(2);

// Written before the next statement runs: a line that was said is in the pipe when the process is killed.
const say = (line: string) => writeSync(1, `${line}\n`);

async function write(store: EventStore, writer: string): Promise<void> {
  for (let step = 0; ; step += 1) {
    const outcome = await store.append(knownWork(writer, step));
    if (outcome.kind === 'appended') say(`acked ${writer} ${step} ${outcome.position}`);
    else if (outcome.kind === 'unknown') return void say(`unknown ${writer} ${step}`);
    else throw new Error(`${writer} was told ${JSON.stringify(outcome)}`);
  }
}

process.stdin.on('end', () => process.exit(1)).resume();
const store = await SqliteEventStore.open(directory);
say('open');
if (writers !== '0') {
  await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(store, `${name}/w${writer}`)));
  const health = await store.check();
  say(`fenced ${health.writable ? 'not at all' : health.reason}`);
  process.exit(74);
}
