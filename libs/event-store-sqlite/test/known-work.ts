import { createHash } from 'node:crypto';
import { EventId, type NewEvent, type StreamAppend, StreamName, StreamRevision } from '@cadastre/event-store';

/** How many events a step of known work writes: two to a device and one to a function. */
export const eventsPerStep = 3;

/**
 * What a writer does in its `step` (from 0): the same for whoever asks, so that one process can do it and another can
 * tell what must have been stored. Steps of one writer follow each other in its own two streams.
 */
export function knownWork(writer: string, step: number): readonly [StreamAppend, StreamAppend] {
  const key = `${writer} step ${step}`;
  return [
    {
      stream: StreamName.from(`device-${writer}`),
      expectedRevision: step === 0 ? 'no-stream' : StreamRevision.from(2 * step - 1),
      events: [knownEvent(key, 0), knownEvent(key, 1)],
    },
    {
      stream: StreamName.from(`function-${writer}`),
      expectedRevision: step === 0 ? 'no-stream' : StreamRevision.from(step - 1),
      events: [knownEvent(key, 2)],
    },
  ];
}

// 1,280 characters that no other event has: what comes back for this id must be these.
function knownEvent(key: string, index: number): NewEvent {
  const id = EventId.derive(key, index);
  const blocks = Array.from({ length: 20 }, (_, block) => createHash('sha256').update(`${id} ${block}`).digest('hex'));
  return { id, type: 'DeviceAttached', data: blocks.join('') };
}
