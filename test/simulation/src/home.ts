import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type EventStore, MemoryEventStore } from '@cadastre/event-store';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import { type Clock } from '@cadastre/ledger';
import { inMemory } from '@cadastre/views';

/** Where a ledger lives: what is opened again when its process begins again. */
export interface Home {
  open(): Promise<EventStore>;
  /** A file, or `:memory:`. */
  readonly views: string;
  readonly clock: Clock;
}

/** Every command has an instant of its own, and every run the same ones. */
export class CountingClock implements Clock {
  private instant = Date.parse('2026-11-23T17:00:00.000Z');

  now(): Date {
    this.instant += 1_000;
    return new Date(this.instant);
  }
}

/** A log that outlives the process that closes it, as long as the test lasts. */
export function homeInMemory(clock: Clock): Home {
  const store = new MemoryEventStore();
  const kept: EventStore = Object.assign(store, { close: () => Promise.resolve() });
  return { clock, views: inMemory, open: () => Promise.resolve(kept) };
}

export function homeOnDisk(clock: Clock, below: string): Home {
  const directory = mkdtempSync(join(below, 'ledger-'));
  return { clock, views: join(directory, 'views.sqlite'), open: () => SqliteEventStore.open(directory) };
}
