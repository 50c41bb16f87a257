import { type EventId } from './event-id.js';
import { type ExpectedRevision } from './expected-revision.js';
import { type Position } from './position.js';
import { type StreamName } from './stream-name.js';
import { type StreamRevision } from './stream-revision.js';

/** Every event of the batch is on stable storage. */
export interface Appended {
  readonly kind: 'appended';
  /** Where the last event of the batch stands. */
  readonly position: Position;
  /** For each stream of the batch, the revision of the last event the batch put into it. */
  readonly revisions: ReadonlyMap<StreamName, StreamRevision>;
  /** True when the events stood there before: nothing was written, and the rest is what the first append was told. */
  readonly again: boolean;
}

/** A stream is not where the writer believed it to be; nothing was written. The first such stream of the batch. */
export interface RevisionMoved {
  readonly kind: 'revision-moved';
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  readonly actual: ExpectedRevision;
}

/**
 * An id of the batch belongs to another event: one with other bytes or another type, in another stream or at another
 * revision; nothing was written. It takes precedence over `revision-moved`, so that an idempotency key which is used
 * for something else is told apart from a lost race.
 */
export interface EventIdTaken {
  readonly kind: 'event-id-taken';
  readonly id: EventId;
  /** Where the event stands that has this id. */
  readonly position: Position;
}

/**
 * Writing failed, and the batch may or may not be stored. To find out, append the same ids at the same expected
 * revisions once the store is well again; never at refreshed revisions.
 */
export interface OutcomeUnknown {
  readonly kind: 'unknown';
  readonly cause: Error;
}

/** What became of one append. Whatever the caller does wrong beyond this is a bug, and thrown. */
export type AppendOutcome = Appended | RevisionMoved | EventIdTaken | OutcomeUnknown;
