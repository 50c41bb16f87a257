import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type EventStore, type RecordedEvent } from '@cadastre/event-store';
import { SqliteEventStore } from '../src/index.js';

/** Makes empty directories on a real disk that are gone after the tests of the file. */
export function scratch(): () => string {
  const home = mkdtempSync(join(tmpdir(), 'cadastre-'));
  afterAll(() => rmSync(home, { recursive: true }));
  return () => mkdtempSync(join(home, 'ledger-'));
}

/** Does something to a ledger file behind the back of whoever has it open, as an operator with `sqlite3` might. */
export function meddle(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, 'ledger.db'), { enableForeignKeyConstraints: false });
  db.exec(sql);
  db.close();
}

/** What `read` makes of a ledger that nobody writes to. */
export async function reading<T>(directory: string, read: (store: EventStore) => Promise<T>): Promise<T> {
  const store = await SqliteEventStore.openReadOnly(directory);
  try {
    return await read(store);
  } finally {
    await store.close();
  }
}

/** The whole log, page by page. */
export async function wholeLog(store: EventStore): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (;;) {
    const page = await store.readAll({ after: events.at(-1)?.position ?? 'start' });
    events.push(...page.events);
    if (page.head === 'empty' || events.at(-1)?.position === page.head) return events;
  }
}
