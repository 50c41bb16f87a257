import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import { replay } from '@cadastre/ledger';
import { deviceDecider, fold, isDeviceEvent } from '@cadastre/lifecycle';
import { type History, Tenancy, writeHistory } from './history.js';
import { medianMicros } from './measure.js';

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
  const floorPerSecond = perSecond(readRows(directory));
  const store = await SqliteEventStore.openReadOnly(directory);
  const start = performance.now();
  const { events } = await replay(store);
  const eventsPerSecond = perSecond({ events, millis: performance.now() - start });
  await store.close();
  rmSync(directory, { recursive: true });
  return { events, eventsPerSecond, floorPerSecond, mix, meanBytes, foldMicros: foldMicros() };
}

function perSecond({ events, millis }: { readonly events: number; readonly millis: number }): number {
  return (events * 1000) / millis;
}

/** Reads every row of the file as no program can do with less. */
function readRows(directory: string): { readonly events: number; readonly millis: number } {
  const db = new DatabaseSync(join(directory, 'ledger.db'), { readOnly: true });
  const rows = db.prepare('SELECT position, stream_id, revision, id, type, sha256, data FROM event ORDER BY position');
  const start = performance.now();
  let events = 0;
  for (const { sha256, data } of rows.iterate()) {
    if (hash('sha256', data as Uint8Array) !== sha256) throw new Error('the benchmark read what it did not write');
    JSON.parse(Buffer.from(data as Uint8Array).toString('utf8'));
    events += 1;
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
