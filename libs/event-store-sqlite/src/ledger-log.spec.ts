import { type DatabaseSync } from 'node:sqlite';
import { freezeBatch, StreamName, StreamRevision } from '@cadastre/event-store';
import { eventsPerStep, knownWork } from '../test/known-work.js';
import { scratch } from '../test/scratch.js';
import { openToRead, openToWrite } from './ledger-file.js';
import { LedgerLog } from './ledger-log.js';
import { SqliteEventStore } from './sqlite-event-store.js';

const directoryOf = scratch();

/** Does `between` right after it was read how large the events of a page are, and before they are. */
function interrupted(db: DatabaseSync, between: () => void): DatabaseSync {
  const faithful = {
    prepare(sql: string) {
      const statement = db.prepare(sql);
      if (!sql.startsWith('SELECT octet_length')) return statement;
      return {
        all(...given: Parameters<typeof statement.all>) {
          const rows = statement.all(...given);
          between();
          return rows;
        },
      };
    },
    get isTransaction() {
      return db.isTransaction;
    },
    close: () => db.close(),
  };
  return faithful as unknown as DatabaseSync;
}

describe('a read that takes several statements', () => {
  async function beside() {
    const directory = directoryOf();
    await (await SqliteEventStore.open(directory)).close();
    const writer = new LedgerLog(openToWrite(directory));
    writer.writeGroup([freezeBatch(knownWork('a', 0))]);
    let step = 0;
    const reader = new LedgerLog(interrupted(openToRead(directory), () => {
      writer.writeGroup([freezeBatch(knownWork('a', step += 1))]);
    }));
    return { writer, reader };
  }

  it('shows the log as of one moment, though a writer commits between two of them', async () => {
    const { writer, reader } = await beside();
    expect(reader.readAll('start', 1_000)).toMatchObject({ events: { length: eventsPerStep }, head: 2 });
    expect(reader.readAll('start', 1_000)).toMatchObject({ events: { length: 2 * eventsPerStep }, head: 5 });
    for (const log of [reader, writer]) log.close();
  });

  it('shows a stream as of one moment, though a writer commits between two of them', async () => {
    const { writer, reader } = await beside();
    const page = reader.readStream(StreamName.from('device-a'), StreamRevision.from(0), 1_000);
    expect(page).toMatchObject({ events: { length: 2 }, revision: 1, endOfStream: true });
    for (const log of [reader, writer]) log.close();
  });
});
