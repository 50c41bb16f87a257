import {
  CorruptEvent, type EventEnvelope, type EventId, type Position, type RecordedEvent, sha256Hex, type StreamName,
  type StreamRevision,
} from '@cadastre/event-store';

/** The envelope of an event as it comes out of the file: of a damaged file, it may be anything. */
export interface EnvelopeRow {
  /** All parts in one text, as they were sealed: told apart only once they are known to be what was written. */
  readonly envelope: string;
  readonly seal: string;
}

/** An envelope with the data of its event: no text when that is damaged. */
export interface EventRow extends EnvelopeRow {
  readonly data: unknown;
}

/**
 * The hash of an envelope, stored beside it. SHA-256 of the data alone would let a flipped type, revision or stream
 * pass for good. None of the parts can hold a line break.
 */
export function sealOf({ position, stream, revision, id, type, sha256 }: EventEnvelope): string {
  return sha256Hex([position, stream, revision, id, type, sha256].join('\n'));
}

/** Position, stream, revision, id, type and SHA-256, in the order they are sealed in. */
type Parts = readonly [string, string, string, string, string, string];

/** Throws `CorruptEvent` unless the envelope is what was written. */
export function envelopeOf({ envelope, seal }: EnvelopeRow): EventEnvelope {
  const parts = envelope.split('\n') as unknown as Parts;
  const position = Number(parts[0]) as Position;
  const stream = parts[1] as StreamName;
  const revision = Number(parts[2]) as StreamRevision;
  const actual = sha256Hex(envelope);
  if (actual !== seal) throw new CorruptEvent({ position, stream, revision }, 'envelope', { expected: seal, actual });
  // What was sealed is what was written, and that had been checked.
  return { position, stream, revision, id: parts[3] as EventId, type: parts[4], sha256: parts[5] };
}

/** Throws `CorruptEvent` unless the event is what was written. */
export function eventOf(row: EventRow): RecordedEvent {
  const envelope = envelopeOf(row);
  const data = typeof row.data === 'string' ? row.data : '';
  const actual = sha256Hex(data);
  if (actual === envelope.sha256) return { ...envelope, data };
  throw new CorruptEvent(envelope, 'data', { expected: envelope.sha256, actual });
}
