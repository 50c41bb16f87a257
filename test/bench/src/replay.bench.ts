import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deviceDecider, fold, isDeviceEvent } from '@cadastre/lifecycle';
import { type History, Tenancy, writeHistory } from './history.js';
import { median, medianMicros } from './measure.js';
import { type ReplayTimes } from './replay-alone.js';

export interface ReplayFigures extends History {
  readonly events: number;
  readonly eventsPerSecond: number;
  /** The same events read in the same run: a row, SHA-256 of its data, JSON.parse, and nothing else. */
  readonly floorPerSecond: number;
}

/**
 * Replay of a ledger file with a history as use leaves it: many more looks and changes of hands than functions. It runs
 * in a process of its own, as an operator's does, on one thread.
 */
export async function benchReplay(pasids: number): Promise<ReplayFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'cadastre-bench-'));
  const history = await writeHistory(directory, pasids);
  const alone = fileURLToPath(new URL('./replay-alone.js', import.meta.url));
  const printed = execFileSync(process.execPath, [...process.execArgv, alone, directory], { encoding: 'utf8' });
  rmSync(directory, { recursive: true });
  const { events, replays, floors } = JSON.parse(printed) as ReplayTimes;
  const perSecond = (millis: readonly number[]): number => (events * 1000) / median(millis);
  return { ...history, events, eventsPerSecond: perSecond(replays), floorPerSecond: perSecond(floors) };
}

/** Microseconds to fold the events of a device that was attached and detached, decoded already. */
export function benchFold(): number {
  const history = new Tenancy(0);
  const events = [...history.look(), ...history.moveIn('vm-0'), ...history.moveOut()].flatMap(({ events }) => events)
    .filter(isDeviceEvent);
  return medianMicros(() => fold(deviceDecider, events));
}
