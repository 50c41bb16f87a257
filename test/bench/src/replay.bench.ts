import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import { replay } from '@cadastre/ledger';
import { deviceDecider, fold, isDeviceEvent } from '@cadastre/lifecycle';
import { type History, Tenancy, writeHistory } from './history.js';
import { median, medianMicros } from './measure.js';

/** Replays of the same file; the first finds no compiled code. */
const rounds = 7;

export interface ReplayFigures extends History {
  readonly events: number;
  readonly eventsPerSecond: number;
  /** The same rows read in the same run: the row, SHA-256 of its bytes, JSON.parse, and nothing else. */
  readonly floorPerSecond: number;
  /** To fold the events of a device that was attached and detached: three, decoded before. */
  readonly foldMicros: number;
}

/** Replay of a ledger file with a history as use leaves it: many more looks and changes of hands than functions. */
export async function benchReplay(): Promise<ReplayFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'cadastre-bench-'));
  const { mix, meanBytes } = await writeHistory(directory);
  const floors: number[] = [];
  const replays: number[] = [];
  let events = 0;
  // In turns, so that both see the same machine.
  for (let round = 0; round < rounds; round += 1) {
    floors.push(perSecond(readRows(directory)));
    const store = await SqliteEventStore.openReadOnly(directory);
    const start = performance.now();
    ({ events } = await replay(store));
    replays.push(perSecond({ events, millis: performance.now() - start }));
    await store.close();
  }
  rmSync(directory, { recursive: true });
  return {
    events, eventsPerSecond: median(replays), floorPerSecond: median(floors), mix, meanBytes, foldMicros: foldMicros(),
  };
}

function perSecond({ events, millis }: { readonly events: number; readonly millis: number }): number {
  return (events * 1000) / millis;
}

type Row = readonly [
  position: number, stream: number, revision: number, id: string, type: string, sha256: string, data: string,
];

/** Reads a row for every event, and does with it what nobody who takes an event can do without. */
function readRows(directory: string): { readonly events: number; readonly millis: number } {
  const db = new DatabaseSync(join(directory, 'ledger.db'), { readOnly: true });
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
  return { events, millis };
}

/** Microseconds to fold the events of a device that was attached and detached, decoded already. */
function foldMicros(): number {
  const history = new Tenancy(0);
  const events = [...history.look(), ...history.moveIn('vm-0'), ...history.moveOut()].flatMap(({ events }) => events)
    .filter(isDeviceEvent);
  return medianMicros(() => fold(deviceDecider, events));
}
