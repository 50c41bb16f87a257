import { createHash } from 'node:crypto';
import { eventBytesMax } from '../store-limits.js';
import { attachedDevice, event, expectAppended, type Subject, wholeLog } from './subject.js';

const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);
const samples: readonly (readonly [string, Uint8Array])[] = [
  ['every byte value', everyByte],
  ['no bytes at all', new Uint8Array()],
  ['a single NUL', new Uint8Array([0])],
  ['bytes that are no UTF-8', new Uint8Array([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80])],
  ['a part of a larger buffer', Buffer.concat([everyByte, everyByte]).subarray(100, 300)],
  ['the largest event', Uint8Array.from({ length: eventBytesMax }, (_, index) => index * 7)],
];

/** What is handed in comes out, byte for byte, whatever either side does to its own copy. */
export function promiseExactBytes(subject: Subject): void {
  describe('the bytes of an event', () => {
    it.each(samples)('come back exactly: %s', async (_what, data) => {
      const { store } = subject;
      const given = event('bytes', 0, data);
      await expectAppended(store.append([{ stream: attachedDevice, expectedRevision: 'no-stream', events: [given] }]));
      const sha256 = createHash('sha256').update(data).digest('hex');
      const recorded = { position: 0, stream: attachedDevice, revision: 0, id: given.id, type: given.type, sha256 };
      const reads = [
        ...(await store.readStream(attachedDevice)).events,
        ...(await store.readAll()).events,
        await store.findEvent(given.id),
      ];
      expect(reads).toHaveLength(3);
      for (const read of reads) {
        const { data: bytes, ...envelope } = read ?? {};
        expect(envelope).toEqual(recorded);
        expect(Buffer.compare(bytes as Uint8Array, data)).toBe(0);
      }
    });

    it('are those that were handed over, even when the caller reuses its buffer at once', async () => {
      const { store } = subject;
      const data = new Uint8Array([1, 2, 3]);
      const events = [event('bytes', 0, data)];
      const outcome = store.append([{ stream: attachedDevice, expectedRevision: 'no-stream', events }]);
      data.fill(0);
      events.pop();
      await expectAppended(outcome);
      expect((await wholeLog(store)).map((recorded) => [...recorded.data])).toEqual([[1, 2, 3]]);
    });

    it('do not change in the log when a reader writes into what it was given', async () => {
      const { store } = subject;
      const given = event('bytes', 0, new Uint8Array([1, 2, 3]));
      await store.append([{ stream: attachedDevice, expectedRevision: 'no-stream', events: [given] }]);
      const reads = async () => [
        ...(await store.readStream(attachedDevice)).events,
        ...(await store.readAll()).events,
        await store.findEvent(given.id),
      ];
      for (const read of await reads()) {
        read?.data.fill(0xee);
        Object.assign(read ?? {}, { revision: 9, type: 'Changed' });
      }
      ((await store.readAll()).events as unknown[]).length = 0;
      for (const read of await reads()) {
        expect(read).toMatchObject({ revision: 0, type: given.type });
        expect([...read?.data ?? []]).toEqual([1, 2, 3]);
      }
    });
  });
}
