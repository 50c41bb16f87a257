import {
  CorruptEvent, EventId, type EventEnvelope, Position, type RecordedEvent, sha256Hex, StreamName, StreamRevision,
} from '@cadastre/event-store';

/** The envelope of an event as it comes out of the file: of a damaged file, any of it may be anything. */
export interface EnvelopeRow {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly sha256: string;
  readonly seal: string;
}

export interface EventRow extends EnvelopeRow {
  readonly data: unknown;
}

/**
 * The hash of an envelope, stored beside it. SHA-256 of the data alone would let a flipped type, revision or stream
 * pass for good. None of the parts can hold a line break.
 */
export function sealOf(envelope: EventEnvelope | EnvelopeRow): string {
  const { position, stream, revision, id, type, sha256 } = envelope;
  return sha256Hex([position, stream, revision, id, type, sha256].join('\n'));
}

/** Throws `CorruptEvent` unless the envelope is what was written. */
export function envelopeOf(row: EnvelopeRow): EventEnvelope {
  const actual = sealOf(row);
  if (actual !== row.seal) throw new CorruptEvent(row, 'envelope', { expected: row.seal, actual });
  return {
    position: Position.from(row.position),
    stream: StreamName.from(row.stream),
    revision: StreamRevision.from(row.revision),
    id: EventId.from(row.id),
    type: row.type,
    sha256: row.sha256,
  };
}

/** Throws `CorruptEvent` unless the envelope is what was written; who takes the event checks its data. */
export function eventOf(row: EventRow): RecordedEvent {
  // A damaged record may hold no bytes at all; then its hash will not be right.
  return { ...envelopeOf(row), data: row.data instanceof Uint8Array ? row.data : new Uint8Array() };
}
