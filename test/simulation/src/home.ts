import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type EventStore, MemoryEventStore } from '@cadastre/event-store';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import { inMemory } from '@cadastre/views';

/** Where a ledger lives: what is opened again when its process begins again. */
export interface Home {
  open(): Promise<EventStore>;
  /** A file, or `:memory:`. */
  readonly views: string;
}

/** A log that outlives the process that closes it, as long as the test lasts. */
export function homeInMemory(): Home {
  const store = new MemoryEventStore();
  const kept: EventStore = Object.assign(store, { close: () => Promise.resolve() });
  return { views: inMemory, open: () => Promise.resolve(kept) };
}

export function homeOnDisk(below: string): Home {
  const directory = mkdtempSync(join(below, 'ledger-'));
  return { views: join(directory, 'views.sqlite'), open: () => SqliteEventStore.open(directory) };
}
