export { appended, type AppendDecision, decideAppend, type StoredFacts } from './append-decision.js';
export {
  type Appended, type AppendOutcome, type EventIdTaken, type OutcomeUnknown, type RevisionMoved,
} from './append-outcome.js';
export { CorruptEvent, type CorruptPart } from './corrupt-event.js';
export { CorruptLog } from './corrupt-log.js';
export { dataBytes, dataBytesOf } from './event-data.js';
export { EventId } from './event-id.js';
export { type Run, takeRun } from './event-run.js';
export { type EventStore, type ReadAllOptions, type ReadStreamOptions, type StoreHealth } from './event-store.js';
export { type ExpectedRevision } from './expected-revision.js';
export { freezeBatch, type FrozenAppend, type FrozenEvent } from './frozen-append.js';
export { LogPage } from './log-page.js';
export { MemoryEventStore } from './memory-event-store.js';
export { type NewEvent } from './new-event.js';
export { Position } from './position.js';
export { type EventEnvelope, type RecordedEvent } from './recorded-event.js';
export { sha256Hex } from './sha256-hex.js';
export { StoreClosed } from './store-closed.js';
export {
  appendBytesMax, eventBytesMax, eventsPerAppendMax, pageBytesMax, pageLimit, pageSizeMax, streamsPerAppendMax,
} from './store-limits.js';
export { type StreamAppend } from './stream-append.js';
export { StreamName } from './stream-name.js';
export { StreamPage } from './stream-page.js';
export { StreamRevision } from './stream-revision.js';
