import { type DatabaseSync, type StatementSync } from 'node:sqlite';

const parts = 'event.position, stream.name, event.revision, event.id, event.type, event.sha256';

// The columns of `EnvelopeRow`: one text costs half of what its six parts do, and is what `sealOf` hashed.
const envelope = `concat_ws(char(10), ${parts}) AS envelope, event.seal`;

// A blob for each event would cost more than everything else about its row. Bytes that are no UTF-8 become another
// text, which has another hash.
const row = `${envelope}, CAST(event.data AS TEXT) AS data`;

// Since 3.47 SQLite plans a statement anew whenever a bare `LIMIT ?` gets its value, which takes longer than to find
// the rows. It does not look into an expression (expr.c, `sqlite3ExprIsInteger`).
const limit = 'LIMIT CAST(? AS INTEGER)';

/** A page is read in two statements: how large its events are, and then as many as it may hold. */
function page(from: string): { readonly sizes: string; readonly rows: string } {
  return { sizes: `SELECT octet_length(event.data) AS bytes ${from}`, rows: `SELECT ${row} ${from}` };
}

const ofStream = page(`FROM stream CROSS JOIN event USING (stream_id)
  WHERE stream.name = ? AND event.revision >= ? ORDER BY event.revision ${limit}`);
const ofLog = page(`FROM event CROSS JOIN stream USING (stream_id)
  WHERE event.position >= ? ORDER BY event.position ${limit}`);

// CROSS JOIN fixes the order of the tables ("The SQLite Query Optimizer Overview", "Manual Control Of Query Plans").
const sql = {
  begin: 'BEGIN',
  beginWrite: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',

  nextPosition: 'SELECT events FROM ledger',
  newestPosition: 'SELECT max(position) AS newest FROM event',
  revisionOf: 'SELECT revision FROM stream WHERE name = ?',
  envelopeOf: `SELECT ${envelope} FROM event CROSS JOIN stream USING (stream_id) WHERE event.id = ?`,
  eventWithId: `SELECT ${row} FROM event CROSS JOIN stream USING (stream_id) WHERE event.id = ?`,
  sizesOfStream: ofStream.sizes,
  rowsOfStream: ofStream.rows,
  sizesOfLog: ofLog.sizes,
  rowsOfLog: ofLog.rows,

  sealOfPage: 'SELECT sha256 FROM page WHERE page = ?',
  insertPage: 'INSERT OR REPLACE INTO page (page, sha256) VALUES (?, ?)',
  // Envelope and data of each event as lines: what `eventsIn` tells apart again.
  textOfPage: `SELECT group_concat(text, char(10)) AS text FROM (
    SELECT concat_ws(char(10), stream_id, stream.name, event.revision, event.id, event.type, event.sha256,
      event.data) AS text FROM event CROSS JOIN stream USING (stream_id)
    WHERE event.position >= ? AND event.position < ? ORDER BY event.position)`,

  insertEvent: `INSERT INTO event (position, stream_id, revision, id, type, sha256, seal, data)
    VALUES (?, ?, ?, ?, ?, ?, ?, CAST(? AS BLOB))`,
  // The expected revision once more, for the file to check: a decision that does not fit it must not be written.
  beginStream: 'INSERT INTO stream (name, revision) VALUES (?, ?) RETURNING stream_id',
  moveStream: 'UPDATE stream SET revision = ? WHERE name = ? AND revision = ? RETURNING stream_id',
  moveHead: 'UPDATE ledger SET events = ? WHERE events = ?',

  walFrames: 'PRAGMA wal_checkpoint(NOOP)',
  checkpoint: 'PRAGMA wal_checkpoint(PASSIVE)',
  checkpointAll: 'PRAGMA wal_checkpoint(TRUNCATE)',
  integrity: 'PRAGMA integrity_check',
  streamIntegrity: "PRAGMA integrity_check('stream')",
} as const;

export type LedgerStatements = { readonly [Name in keyof typeof sql]: StatementSync };

/** Everything we ever say to a ledger file, prepared once. */
export function prepareStatements(db: DatabaseSync): LedgerStatements {
  const prepared = Object.entries(sql).map(([name, text]) => [name, db.prepare(text)]);
  return Object.fromEntries(prepared) as LedgerStatements;
}
