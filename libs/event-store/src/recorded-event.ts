import { type EventId } from './event-id.js';
import { type Position } from './position.js';
import { type StreamName } from './stream-name.js';
import { type StreamRevision } from './stream-revision.js';

/** All that is recorded about an event beside its data. */
export interface EventEnvelope {
  readonly position: Position;
  readonly stream: StreamName;
  readonly revision: StreamRevision;
  readonly id: EventId;
  readonly type: string;
  /** SHA-256 of the UTF-8 of `data`, in lower-case hexadecimal; stored beside it. */
  readonly sha256: string;
}

/** An event as it stands in the log, for ever. What a store hands out has been checked against `sha256`. */
export interface RecordedEvent extends EventEnvelope {
  /** The text as it was handed over. */
  readonly data: string;
}
