import { type ExpectedRevision } from './expected-revision.js';
import { type NewEvent } from './new-event.js';
import { type StreamName } from './stream-name.js';

/** What one append does to one stream. */
export interface StreamAppend {
  readonly stream: StreamName;
  /** Nothing is written to any stream unless this one is exactly here. */
  readonly expectedRevision: ExpectedRevision;
  /**
   * They get the revisions right behind `expectedRevision`, in this order. None is a guard: nothing is written to the
   * stream, but what the append says of others stands only while nobody writes to this one.
   */
  readonly events: readonly NewEvent[];
}
