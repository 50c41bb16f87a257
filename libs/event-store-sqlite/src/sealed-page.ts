import {
  type EventId, pageBytesMax, pageSizeMax, type Position, type RecordedEvent, type StreamName, type StreamRevision,
} from '@cadastre/event-store';
import { type StreamNames } from './stream-names.js';

/**
 * The log from its beginning in pages of so many events. A page that is full is sealed: SHA-256 of its text is stored
 * once, and whoever reads the page checks one hash and not two of each event. So many, that a reader's page is made of
 * whole ones, and that the text of one does not count as large in the heap, whose large objects are costly to collect.
 */
export const sealedEvents = pageSizeMax / 8;

/** A page with more bytes of data has no seal: a reader's page of sealed ones never holds more than it may. */
export const sealedBytesMax = pageBytesMax / 8;

/** The page that begins at `position`, if one does. */
export function pageAt(position: number): number | undefined {
  return position % sealedEvents === 0 ? position / sealedEvents : undefined;
}

/** The pages that a log of `after` events has full, and with `before` had not. */
export function pagesFilled(before: number, after: number): readonly number[] {
  const first = Math.floor(before / sealedEvents);
  return Array.from({ length: Math.floor(after / sealedEvents) - first }, (_, index) => first + index);
}

/** Lines of an event in the text of a page, which has them in order: its position is told by its place. */
const linesOfEvent = 7;

/**
 * The events of a page that has its seal, from position `first` on. No part of an event can hold a line break. All
 * texts but the names of streams are pieces of the page's.
 */
export function eventsIn(text: string, first: number, names: StreamNames): readonly RecordedEvent[] {
  const lines = text.split('\n');
  const events: RecordedEvent[] = [];
  for (let at = 0, position = first; at < lines.length; at += linesOfEvent, position += 1) {
    // What was sealed is what was written, and that had been checked.
    const stream = names.own(Number(lines[at]), lines[at + 1] as StreamName);
    events.push({
      position: position as Position, stream, revision: Number(lines[at + 2]) as StreamRevision,
      id: lines[at + 3] as EventId, type: lines[at + 4] as string, sha256: lines[at + 5] as string,
      data: lines[at + 6] as string,
    });
  }
  return events;
}
