import { assertComplete, type Run } from './event-run.js';
import { type ExpectedRevision } from './expected-revision.js';
import { type RecordedEvent } from './recorded-event.js';
import { type StreamName } from './stream-name.js';
import { type StreamRevision } from './stream-revision.js';

/** A piece of one stream, oldest event first. */
export interface StreamPage {
  readonly events: readonly RecordedEvent[];
  /** Where the stream stood when the page was read, whichever part of it was asked for. */
  readonly revision: ExpectedRevision;
  /** False when there is more behind the last of `events`: ask again from the revision after it. */
  readonly endOfStream: boolean;
}
export const StreamPage = {
  /** Throws `CorruptLog` unless `run` is all that `stream` holds from `from` on. */
  complete(stream: StreamName, from: StreamRevision, run: Run<RecordedEvent>, revision: ExpectedRevision): StreamPage {
    const last = revision === 'no-stream' ? -1 : revision;
    assertComplete(run, stream, (event) => event.revision, { first: from, last });
    return { events: run.items, revision, endOfStream: from + run.items.length > last };
  },
};
