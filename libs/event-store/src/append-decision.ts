import { type Appended, type EventIdTaken, type RevisionMoved } from './append-outcome.js';
import { type EventId } from './event-id.js';
import { type ExpectedRevision } from './expected-revision.js';
import { type FrozenAppend, type FrozenEvent } from './frozen-append.js';
import { Position } from './position.js';
import { type EventEnvelope } from './recorded-event.js';
import { type StreamName } from './stream-name.js';
import { StreamRevision } from './stream-revision.js';

/** What a store has to know to decide an append, all of it as of one moment. */
export interface StoredFacts {
  envelopeOf(id: EventId): EventEnvelope | undefined;
  revisionOf(stream: StreamName): ExpectedRevision;
}

/** Write the batch, or answer this and write nothing. */
export type AppendDecision = { readonly kind: 'write' } | Appended | RevisionMoved | EventIdTaken;

/**
 * The one rule by which every store decides an append. The ids come first: events that all stand where they would be
 * written are there for good, wherever their streams have gone since.
 */
export function decideAppend(batch: readonly FrozenAppend[], stored: StoredFacts): AppendDecision {
  const ids = judgeIds(batch, stored);
  if (ids.kind !== 'not-all-stored') return ids;
  for (const { stream, expectedRevision } of batch) {
    const actual = stored.revisionOf(stream);
    if (actual !== expectedRevision) return { kind: 'revision-moved', stream, expected: expectedRevision, actual };
  }
  return { kind: 'write' };
}

/** The answer to a batch whose last event stands at `position`. */
export function appended(batch: readonly FrozenAppend[], position: Position, again: boolean): Appended {
  const revisions = batch.filter(({ events }) => events.length > 0).map(({ stream, expectedRevision, events }) =>
    [stream, StreamRevision.after(expectedRevision, events.length)] as const);
  return { kind: 'appended', position, revisions: new Map(revisions), again };
}

type IdVerdict = Appended | EventIdTaken | { readonly kind: 'not-all-stored' };

function judgeIds(batch: readonly FrozenAppend[], stored: StoredFacts): IdVerdict {
  let newest = -1;
  let missing = false;
  for (const append of batch) {
    for (const [index, event] of append.events.entries()) {
      const found = stored.envelopeOf(event.id);
      if (found === undefined) missing = true;
      else if (!isSame(found, append, index, event)) {
        return { kind: 'event-id-taken', id: event.id, position: found.position };
      } else newest = Math.max(newest, found.position);
    }
  }
  return missing ? { kind: 'not-all-stored' } : appended(batch, Position.from(newest), true);
}

function isSame(found: EventEnvelope, append: FrozenAppend, index: number, event: FrozenEvent): boolean {
  return found.stream === append.stream
    && found.revision === (append.expectedRevision === 'no-stream' ? 0 : append.expectedRevision + 1) + index
    && found.type === event.type
    && found.sha256 === event.sha256;
}
