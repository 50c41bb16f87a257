import {
  appendBytesMax, eventBytesMax, eventsPerAppendMax, pageSizeMax, streamsPerAppendMax,
} from '../store-limits.js';
import { type StreamAppend } from '../stream-append.js';
import { StreamName } from '../stream-name.js';
import { attachedDevice, attachedFunction, event, one, type Subject, wholeLog } from './subject.js';

const large = 'x'.repeat(eventBytesMax);
// As many characters as are allowed, and one of them takes two bytes.
const tooLarge = `${large.slice(1)}\u00e9`;

const onlyABugAsksFor: readonly (readonly [string, readonly StreamAppend[]])[] = [
  ['no streams', []],
  ['no events', [batch(0)]],
  ['guards only', [batch(0), { stream: attachedFunction, expectedRevision: 'no-stream', events: [] }]],
  ['the same stream twice', [one(attachedDevice, 'no-stream', 'a'), one(attachedDevice, 'no-stream', 'b')]],
  ['the same id twice', [one(attachedDevice, 'no-stream', 'a'), one(attachedFunction, 'no-stream', 'a')]],
  ['one stream too many', streams(streamsPerAppendMax + 1)],
  ['one event too many', [batch(eventsPerAppendMax + 1)]],
  ['one event too many over two streams', [batch(eventsPerAppendMax), one(attachedFunction, 'no-stream', 'a')]],
  ['an event one byte too large', [{ ...batch(0), events: [event('large', 0, tooLarge)] }]],
  ['a line break in the data', [{ ...batch(0), events: [event('a', 0, '{\n}')] }]],
  ['a NUL in the data', [{ ...batch(0), events: [event('a', 0, '\0')] }]],
  ['data that has no UTF-8', [{ ...batch(0), events: [event('a', 0, '"\ud800"')] }]],
  ['more bytes than one append may hold', [batch(appendBytesMax / eventBytesMax + 1, large)]],
  ['an event without a type', [{ ...batch(0), events: [{ ...event('a'), type: '' }] }]],
  ['an event type with a line break', [{ ...batch(0), events: [{ ...event('a'), type: 'A\nB' }] }]],
  ['an event type of 101 characters', [{ ...batch(0), events: [{ ...event('a'), type: 'A'.repeat(101) }] }]],
];

const justFits: readonly (readonly [string, readonly StreamAppend[]])[] = [
  ['streams', streams(streamsPerAppendMax)],
  ['events', [batch(eventsPerAppendMax)]],
  ['bytes', [batch(appendBytesMax / eventBytesMax, large)]],
  ['characters in a type', [{ ...batch(0), events: [{ ...event('a'), type: 'A'.repeat(100) }] }]],
];

/** Everything has a limit with a name; beyond it is a bug, thrown before anything is written. */
export function promiseBounds(subject: Subject): void {
  describe('the bounds', () => {
    it.each(onlyABugAsksFor)('refuse an append with %s', async (_what, given) => {
      await expect(subject.store.append(given)).rejects.toThrow(RangeError);
      expect(await wholeLog(subject.store)).toEqual([]);
    });

    it.each(justFits)('let an append through with the most %s', async (_what, given) => {
      expect(await subject.store.append(given)).toMatchObject({ kind: 'appended', again: false });
      expect(await wholeLog(subject.store)).toHaveLength(given.flatMap(({ events }) => events).length);
    });

    it('leave the other appends of the same moment alone when one of them is refused', async () => {
      const [good, bad] = await Promise.allSettled([
        subject.store.append([one(attachedDevice, 'no-stream', 'a')]),
        subject.store.append([]),
      ]);
      expect(good).toMatchObject({ status: 'fulfilled', value: { kind: 'appended' } });
      expect(bad.status).toBe('rejected');
    });

    it.each([0, -1, 1.5, pageSizeMax + 1, NaN, Infinity])('refuse a page of %d events', async (limit) => {
      await expect(subject.store.readAll({ limit })).rejects.toThrow(RangeError);
      await expect(subject.store.readStream(attachedDevice, { limit })).rejects.toThrow(RangeError);
    });

    it('hold the most events in a page when no limit is asked for', async () => {
      const { store } = subject;
      await store.append([batch(pageSizeMax)]);
      await store.append([one(attachedFunction, 'no-stream', 'one more')]);
      expect((await store.readAll()).events).toHaveLength(pageSizeMax);
      expect((await store.readStream(attachedDevice)).events).toHaveLength(pageSizeMax);
    });
  });
}

function batch(count: number, data?: string): StreamAppend {
  const events = Array.from({ length: count }, (_, index) => event('batch', index, data));
  return { stream: attachedDevice, expectedRevision: 'no-stream', events };
}

function streams(count: number): readonly StreamAppend[] {
  return Array.from({ length: count }, (_, index) => {
    const name = StreamName.from(`function-hostA/${index}`);
    return one(name, 'no-stream', name);
  });
}
