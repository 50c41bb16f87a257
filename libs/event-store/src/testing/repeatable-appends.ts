import { type NewEvent } from '../new-event.js';
import { type StreamAppend } from '../stream-append.js';
import { StreamName } from '../stream-name.js';
import { StreamRevision } from '../stream-revision.js';
import {
  attachedDevice, attachedFunction, event, expectAppended, first, one, type Subject, wholeLog,
} from './subject.js';

const attach: readonly StreamAppend[] = [
  { stream: attachedFunction, expectedRevision: 'no-stream', events: [event('attach', 0)] },
  { stream: attachedDevice, expectedRevision: 'no-stream', events: [event('attach', 1), event('attach', 2)] },
];

/** One id, one event: whatever is repeated is recognised, for ever. */
export function promiseRepeatableAppends(subject: Subject): void {
  describe('a repeated append', () => {
    it('gets the answer of the first one, and stores nothing', async () => {
      const { store } = subject;
      const told = await expectAppended(store.append(attach));
      const before = await wholeLog(store);
      expect(await store.append(attach)).toEqual({ ...told, again: true });
      expect(await wholeLog(store)).toEqual(before);
    });

    it('gets it also after its streams have moved on', async () => {
      const { store } = subject;
      const told = await expectAppended(store.append(attach));
      await store.append([one(attachedFunction, first, 'release')]);
      const before = await wholeLog(store);
      expect(await store.append(attach)).toEqual({ ...told, again: true });
      expect(await wholeLog(store)).toEqual(before);
    });

    it('gets it also while the first one is still under way', async () => {
      const { store } = subject;
      const outcomes = await Promise.all([store.append(attach), store.append(attach), store.append(attach)]);
      const told = outcomes.map((outcome) => outcome.kind === 'appended' && [outcome.position, outcome.again]);
      expect(told).toEqual([[2, false], [2, true], [2, true]]);
      expect(await wholeLog(store)).toHaveLength(3);
    });

    it('that brings further events has lost the race against its first half', async () => {
      const { store } = subject;
      await store.append([{ stream: attachedDevice, expectedRevision: 'no-stream', events: [event('attach', 0)] }]);
      const events = [event('attach', 0), event('attach', 1)];
      expect(await store.append([{ stream: attachedDevice, expectedRevision: 'no-stream', events }]))
        .toEqual({ kind: 'revision-moved', stream: attachedDevice, expected: 'no-stream', actual: 0 });
      expect(await wholeLog(store)).toHaveLength(1);
    });

    it('finds the ids of a lost race still free', async () => {
      const { store } = subject;
      await store.append([one(attachedDevice, 'no-stream', 'winner')]);
      await store.append([one(attachedDevice, 'no-stream', 'loser')]);
      expect(await store.append([one(attachedDevice, first, 'loser')]))
        .toMatchObject({ kind: 'appended', position: 1, again: false });
    });
  });

  describe('an event id', () => {
    const taken = event('key');
    const lastThereCanBe = StreamRevision.from(Number.MAX_SAFE_INTEGER);
    const elsewhere = StreamName.from('device-vm2/gpu0');
    const others: readonly (readonly [string, StreamAppend])[] = [
      ['with other data', append(attachedDevice, 'no-stream', { ...taken, data: '1' })],
      ['with another type', append(attachedDevice, 'no-stream', { ...taken, type: 'DeviceDetached' })],
      ['in another stream', append(elsewhere, 'no-stream', taken)],
      ['at a refreshed revision', append(attachedDevice, first, taken)],
      ['with another type at a revision that has moved', append(elsewhere, first, { ...taken, type: 'Other' })],
      ['at the last revision there can be', append(attachedDevice, lastThereCanBe, taken)],
    ];

    it.each(others)('is refused for another event: %s', async (_what, other) => {
      const { store } = subject;
      await store.append([one(attachedFunction, 'no-stream', 'before')]);
      await store.append([append(attachedDevice, 'no-stream', taken)]);
      const before = await wholeLog(store);
      const batch = [one(StreamName.from('persona-a100'), 'no-stream', 'beside'), other];
      expect(await store.append(batch)).toEqual({ kind: 'event-id-taken', id: taken.id, position: 1 });
      expect(await wholeLog(store)).toEqual(before);
    });

    it('finds its event, as every read shows it', async () => {
      const { store } = subject;
      await store.append(attach);
      for (const recorded of await wholeLog(store)) expect(await store.findEvent(recorded.id)).toEqual(recorded);
    });

    it('finds nothing before it is stored, and nothing after its append was refused', async () => {
      const { store } = subject;
      expect(await store.findEvent(taken.id)).toBeUndefined();
      await store.append([append(attachedDevice, first, taken)]);
      expect(await store.findEvent(taken.id)).toBeUndefined();
    });
  });
}

function append(
  stream: StreamName, expectedRevision: StreamAppend['expectedRevision'], only: NewEvent,
): StreamAppend {
  return { stream, expectedRevision, events: [only] };
}
