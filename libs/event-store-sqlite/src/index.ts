export { DamagedIndex } from './damaged-index.js';
export { formatVersion, LedgerMissing, LedgerTooNew, LedgerUnreadable, NotALedger } from './ledger-file.js';
export { LedgerInUse } from './ledger-lock.js';
export { checkpointAfterFrames } from './ledger-log.js';
export {
  groupAppendsMax, groupBytesMax, LedgerFenced, LedgerReadOnly, SqliteEventStore, type SqliteOptions,
} from './sqlite-event-store.js';
