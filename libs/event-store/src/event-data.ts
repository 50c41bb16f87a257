import { eventBytesMax } from './store-limits.js';

/** How many bytes an event's data is in UTF-8, which is what is stored, hashed and counted against the limits. */
export function dataBytes(data: string): number {
  return Buffer.byteLength(data, 'utf8');
}

/** The same of several events together. */
export function dataBytesOf(events: readonly { readonly data: string }[]): number {
  return events.reduce((sum, { data }) => sum + dataBytes(data), 0);
}

/**
 * Throws on data that is not one line of well-formed text of at most `eventBytesMax` bytes. Canonical JSON always is:
 * it spells control characters out. Then a line break can part the data from whatever stands beside it.
 */
export function assertEventData(data: string): void {
  if (!data.isWellFormed()) throw new RangeError('The data of an event has a lone surrogate, and no UTF-8');
  if (data.includes('\n') || data.includes('\0')) {
    throw new RangeError('The data of an event is one line of text, without a line break or a NUL');
  }
  const bytes = dataBytes(data);
  if (bytes > eventBytesMax) throw new RangeError(`Too many bytes in an event: ${bytes} of at most ${eventBytesMax}`);
}
