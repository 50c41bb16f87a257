import { type EventStore, type RecordedEvent, StreamName, StreamRevision } from '@cadastre/event-store';
import { decodeEvent, type LedgerEvent, type Observation, observedAgain, UnreadableEvent } from '@cadastre/lifecycle';

/** The events that hold the bytes of others, by the positions of those. */
export type Captures = ReadonlyMap<number, RecordedEvent>;

/** Reads what the events of a page refer to, as far as the log has it: projections see whole observations. */
export async function capturesOf(log: EventStore, events: readonly RecordedEvent[]): Promise<Captures> {
  const captures = new Map<number, RecordedEvent>();
  for (const recorded of events) {
    const revision = recorded.type === 'HostFactsObserved' ? capturedAt(recorded) : undefined;
    if (revision === undefined) continue;
    const from = StreamRevision.from(revision);
    const [capture] = (await log.readStream(StreamName.from(recorded.stream), { from, limit: 1 })).events;
    if (capture) captures.set(recorded.position, capture);
  }
  return captures;
}

function capturedAt({ data }: RecordedEvent): number | undefined {
  try {
    const { event } = decodeEvent(data);
    return event.type === 'HostFactsObserved' ? event.configSpaceRevision : undefined;
  } catch (error) {
    // Whoever folds the event halts at it, and says why.
    if (error instanceof UnreadableEvent) return undefined;
    throw error;
  }
}

/** What an event tells of a function, whole; null when it is no observation. Throws when the bytes are not there. */
export function observationIn(event: LedgerEvent, capture: RecordedEvent | undefined): Observation | null {
  if (event.type === 'FunctionObserved') return event;
  if (event.type !== 'HostFactsObserved') return null;
  const observation = observedAgain(event, capture && decodeEvent(capture.data).event);
  if (observation) return observation;
  throw new Error(`revision ${event.configSpaceRevision} does not hold the bytes it was told over`);
}
