import { type ExpectedRevision } from '../expected-revision.js';
import { type StreamAppend } from '../stream-append.js';
import { StreamName } from '../stream-name.js';
import { StreamRevision } from '../stream-revision.js';
import {
  attachedDevice, attachedFunction, event, expectAppended, first, one, type Subject, wholeLog,
} from './subject.js';

/** All streams of a batch or none, each at exactly the revision it was decided at. */
export function promiseAtomicAppends(subject: Subject): void {
  describe('appending', () => {
    it('answers with the position of the last event and the newest revision of each stream', async () => {
      const outcome = await subject.store.append([
        { stream: attachedFunction, expectedRevision: 'no-stream', events: [event('attach', 0)] },
        { stream: attachedDevice, expectedRevision: 'no-stream', events: [event('attach', 1), event('attach', 2)] },
      ]);
      expect(outcome).toEqual({
        kind: 'appended',
        position: 2,
        revisions: new Map([[attachedFunction, 0], [attachedDevice, 1]]),
        again: false,
      });
    });

    it('gives contiguous positions in the order of the batch, and contiguous revisions in each stream', async () => {
      await subject.store.append([
        { stream: attachedFunction, expectedRevision: 'no-stream', events: [event('a', 0), event('a', 1)] },
        { stream: attachedDevice, expectedRevision: 'no-stream', events: [event('a', 2)] },
      ]);
      await subject.store.append([
        { stream: attachedDevice, expectedRevision: first, events: [event('b', 0)] },
        { stream: attachedFunction, expectedRevision: StreamRevision.from(1), events: [event('b', 1)] },
      ]);
      const log = await wholeLog(subject.store);
      expect(log.map(({ position, stream, revision }) => [position, stream, revision])).toEqual([
        [0, attachedFunction, 0], [1, attachedFunction, 1], [2, attachedDevice, 0],
        [3, attachedDevice, 1], [4, attachedFunction, 2],
      ]);
    });

    it('leaves no gap in the positions behind appends that were refused', async () => {
      const { store } = subject;
      await store.append([one(attachedDevice, 'no-stream', 'a')]);
      await store.append([one(attachedDevice, 'no-stream', 'lost race')]);
      await store.append([{ ...one(attachedFunction, 'no-stream', 'a'), events: [event('a', 0, 'other')] }]);
      expect((await expectAppended(store.append([one(attachedDevice, first, 'b')]))).position).toBe(1);
    });

    it.each([
      ['first', [attachedDevice, attachedFunction]],
      ['last', [attachedFunction, attachedDevice]],
    ])('writes nothing anywhere when the %s stream of a batch has moved', async (_place, streams) => {
      const { store } = subject;
      await store.append([one(attachedDevice, 'no-stream', 'before')]);
      const before = await wholeLog(store);
      const outcome = await store.append(streams.map((stream) => one(stream, 'no-stream', `attach ${stream}`)));
      expect(outcome).toEqual({ kind: 'revision-moved', stream: attachedDevice, expected: 'no-stream', actual: 0 });
      expect(await wholeLog(store)).toEqual(before);
      expect((await store.readStream(attachedFunction)).revision).toBe('no-stream');
    });

    it('names the first of several streams that moved', async () => {
      const { store } = subject;
      await store.append([one(attachedFunction, 'no-stream', 'a'), one(attachedDevice, 'no-stream', 'b')]);
      const outcome = await store.append([
        one(attachedDevice, 'no-stream', 'c'), one(attachedFunction, 'no-stream', 'd'),
      ]);
      expect(outcome).toMatchObject({ kind: 'revision-moved', stream: attachedDevice });
    });
  });

  describe('a guard, which is a stream of the batch without events', () => {
    const guard = (expectedRevision: ExpectedRevision): StreamAppend =>
      ({ stream: attachedFunction, expectedRevision, events: [] });

    it('lets the others through while its stream is where it was believed to be, and is not written to', async () => {
      const { store } = subject;
      expect(await store.append([guard('no-stream'), one(attachedDevice, 'no-stream', 'a')])).toEqual({
        kind: 'appended', position: 0, revisions: new Map([[attachedDevice, 0]]), again: false });
      expect((await store.readStream(attachedFunction)).revision).toBe('no-stream');
      await store.append([one(attachedFunction, 'no-stream', 'b')]);
      expect(await store.append([one(attachedDevice, first, 'c'), guard(first)]))
        .toMatchObject({ kind: 'appended', revisions: new Map([[attachedDevice, 1]]) });
      expect((await store.readStream(attachedFunction)).revision).toBe(0);
    });

    it.each<[string, ExpectedRevision]>([['begun', 'no-stream'], ['still behind', StreamRevision.from(1)]])(
      'stops the others when its stream is %s', async (_what, expectedRevision) => {
        const { store } = subject;
        await store.append([one(attachedFunction, 'no-stream', 'a')]);
        expect(await store.append([one(attachedDevice, 'no-stream', 'b'), guard(expectedRevision)])).toEqual(
          { kind: 'revision-moved', stream: attachedFunction, expected: expectedRevision, actual: 0 });
        expect(await wholeLog(store)).toHaveLength(1);
      });

    it('says nothing any more once the batch is stored: the same batch again gets its answer', async () => {
      const { store } = subject;
      const batch = [one(attachedDevice, 'no-stream', 'a'), guard('no-stream')];
      await store.append(batch);
      await store.append([one(attachedFunction, 'no-stream', 'b')]);
      expect(await store.append(batch)).toMatchObject({ kind: 'appended', position: 0, again: true });
    });
  });

  describe('an expected revision', () => {
    const revisions: readonly ExpectedRevision[] = [
      'no-stream', ...[0, 1, 2, 3].map((revision) => StreamRevision.from(revision)),
    ];
    const beliefs = [...revisions, StreamRevision.from(Number.MAX_SAFE_INTEGER)];
    const everyPair = revisions.flatMap((actual) => beliefs.map((expected) => ({ actual, expected })));

    it.each(everyPair)('$expected is right for a stream at $actual only when they are equal', async (pair) => {
      const { actual, expected } = pair;
      const { store } = subject;
      const stream = StreamName.from('device-vm1/nic0');
      const past = Array.from({ length: actual === 'no-stream' ? 0 : actual + 1 }, (_, index) => event('past', index));
      if (past.length > 0) await store.append([{ stream, expectedRevision: 'no-stream', events: past }]);

      const outcome = await store.append([one(stream, expected, 'next')]);
      if (actual === expected) {
        expect(outcome).toMatchObject({ kind: 'appended', position: past.length, again: false });
      } else {
        expect(outcome).toEqual({ kind: 'revision-moved', stream, expected, actual });
      }
      expect(await wholeLog(store)).toHaveLength(past.length + (actual === expected ? 1 : 0));
    });
  });
}
