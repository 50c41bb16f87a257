import { Position } from '../position.js';
import { eventBytesMax, pageBytesMax } from '../store-limits.js';
import { StreamName } from '../stream-name.js';
import { StreamRevision } from '../stream-revision.js';
import {
  attachedDevice, attachedFunction, event, expectAppended, one, patienceMs, type Subject, wholeLog, wholeStream,
} from './subject.js';

/** Seven events in two streams, interleaved: the function at the even positions, the device at the odd ones. */
async function interleaved({ store }: Subject): Promise<void> {
  for (let position = 0; position < 7; position += 1) {
    const place = Math.floor(position / 2);
    const expected = place === 0 ? 'no-stream' : StreamRevision.from(place - 1);
    const stream = position % 2 === 0 ? attachedFunction : attachedDevice;
    await expectAppended(store.append([one(stream, expected, `event ${position}`)]));
  }
}

/** One total order that only grows, readable in pieces of any size. */
export function promiseStableReads(subject: Subject): void {
  promiseStreamReads(subject);
  promiseLogReads(subject);
}

function promiseStreamReads(subject: Subject): void {
  describe('reading a stream', () => {
    it('shows a stream that was not begun as an empty page', async () => {
      expect(await subject.store.readStream(attachedDevice))
        .toEqual({ events: [], revision: 'no-stream', endOfStream: true });
    });

    it('shows its events only, oldest first', async () => {
      await interleaved(subject);
      const page = await subject.store.readStream(attachedDevice);
      expect(page.events.map(({ position, revision }) => [position, revision])).toEqual([[1, 0], [3, 1], [5, 2]]);
      expect(page).toMatchObject({ revision: 2, endOfStream: true });
    });

    it('begins at the revision asked for and ends at the limit, for every revision and every limit', async () => {
      await interleaved(subject);
      const revisions = [0, 1, 2, 3];
      for (const from of [...revisions, 4, 1_000_000, Number.MAX_SAFE_INTEGER]) {
        for (const limit of [1, 2, 3, 4, 5, 1_000]) {
          const page = await subject.store.readStream(attachedFunction, { from: StreamRevision.from(from), limit });
          expect(page.events.map(({ revision }) => revision)).toEqual(revisions.slice(from, from + limit));
          expect(page).toMatchObject({ revision: 3, endOfStream: from + limit > 3 });
        }
      }
    });

    it('tells streams apart that differ in one character, in case, or in what follows', async () => {
      const names = ['device-vm1/gpu1', 'device-vm1/gpu10', 'device-vm1/gpu1/', 'device-vm1/gpu', 'device-VM1/gpu1'];
      for (const name of names) await subject.store.append([one(StreamName.from(name), 'no-stream', name)]);
      for (const [position, name] of names.entries()) {
        const page = await subject.store.readStream(StreamName.from(name));
        expect(page.events.map((recorded) => recorded.position)).toEqual([position]);
      }
    });
  });
}

function promiseLogReads(subject: Subject): void {
  describe('reading the whole log', () => {
    it('shows an empty log as an empty page', async () => {
      expect(await subject.store.readAll()).toEqual({ events: [], head: 'empty' });
    });

    it('begins behind the position asked for and ends at the limit, for every position and every limit', async () => {
      await interleaved(subject);
      const positions = [0, 1, 2, 3, 4, 5, 6];
      for (const after of ['start', ...positions, 7, 1_000_000, Number.MAX_SAFE_INTEGER] as const) {
        for (const limit of [1, 2, 6, 7, 8, 1_000]) {
          const begin = after === 'start' ? after : Position.from(after);
          const page = await subject.store.readAll({ after: begin, limit });
          const expected = positions.filter((position) => after === 'start' || position > after).slice(0, limit);
          expect(page.events.map(({ position }) => position)).toEqual(expected);
          expect(page.head).toBe(6);
        }
      }
    });

    it('shows the same bytes in the same order each time, whatever the size of the pages', async () => {
      await interleaved(subject);
      const log = await wholeLog(subject.store);
      for (const limit of [1, 2, 3, 7, 1_000]) expect(await wholeLog(subject.store, limit)).toEqual(log);
    });

    it('never changes what stood before a position, however much is appended behind it', async () => {
      await interleaved(subject);
      const prefix = await wholeLog(subject.store);
      await subject.store.append([one(attachedDevice, StreamRevision.from(2), 'later')]);
      await subject.store.append([one(StreamName.from('device-aaa'), 'no-stream', 'earlier by name')]);
      const log = await wholeLog(subject.store);
      expect(log).toHaveLength(prefix.length + 2);
      expect(log.slice(0, prefix.length)).toEqual(prefix);
    });

    it('shows in each stream exactly what the log shows of it', async () => {
      await interleaved(subject);
      const log = await wholeLog(subject.store);
      for (const stream of [attachedDevice, attachedFunction]) {
        expect(await wholeStream(subject.store, stream, 2)).toEqual(log.filter((it) => it.stream === stream));
      }
    });

    it('ends a page before it grows beyond its bytes, and loses nothing between two pages', async () => {
      const { store } = subject;
      const count = pageBytesMax / eventBytesMax + 2;
      const large = 'x'.repeat(eventBytesMax);
      for (let index = 0; index < count; index += 1) {
        const expectedRevision = index === 0 ? 'no-stream' : StreamRevision.from(index - 1);
        const events = [event('large', index, large)];
        await expectAppended(store.append([{ stream: attachedDevice, expectedRevision, events }]));
      }
      const pages = [await store.readAll(), await store.readStream(attachedDevice)];
      for (const page of pages) expect(page.events).toHaveLength(pageBytesMax / eventBytesMax);
      expect(pages[1]).toMatchObject({ revision: count - 1, endOfStream: false });
      expect((await wholeLog(store)).map(({ position }) => position)).toEqual([...Array(count).keys()]);
      const rest = await store.readStream(attachedDevice, { from: StreamRevision.from(count - 1) });
      expect(rest).toMatchObject({ endOfStream: true, events: [{ revision: count - 1 }] });
    }, patienceMs);
  });
}
