// node replay-alone.js DIRECTORY: replays a ledger some times and reads its rows as often; prints milliseconds as JSON.
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import { replay } from '@cadastre/ledger';

export interface ReplayTimes {
  readonly events: number;
  readonly replays: readonly number[];
  readonly floors: readonly number[];
}

/** The first finds no compiled code. */
const rounds = 9;

const [directory] = process.argv.slice(2);
if (directory) process.stdout.write(JSON.stringify(await timesOf(directory)));

/** In turns, so that both see the same machine. */
async function timesOf(ledger: string): Promise<ReplayTimes> {
  const replays: number[] = [];
  const floors: number[] = [];
  let events = 0;
  for (let round = 0; round < rounds; round += 1) {
    floors.push(readRows(ledger));
    const store = await SqliteEventStore.openReadOnly(ledger);
    const start = performance.now();
    ({ events } = await replay(store));
    replays.push(performance.now() - start);
    await store.close();
  }
  return { events, replays, floors };
}

type Row = readonly [
  position: number, stream: number, revision: number, id: string, type: string, sha256: string, data: string,
];

/** Reads a row for every event, and does with it what nobody who takes an event can do without. */
function readRows(ledger: string): number {
  const db = new DatabaseSync(join(ledger, 'ledger.db'), { readOnly: true });
  const rows = db.prepare(`SELECT position, stream_id, revision, id, type, sha256, CAST(data AS TEXT) FROM event
    WHERE position >= ? ORDER BY position LIMIT 1000`);
  rows.setReturnArrays(true);
  const start = performance.now();
  let events = 0;
  for (let page = rows.all(0) as unknown as Row[]; page.length > 0; page = rows.all(events) as unknown as Row[]) {
    for (const [, , , , , sha256, data] of page) {
      if (hash('sha256', data) !== sha256) throw new Error('the benchmark read what it did not write');
      JSON.parse(data);
    }
    events += page.length;
  }
  const millis = performance.now() - start;
  db.close();
  return millis;
}
