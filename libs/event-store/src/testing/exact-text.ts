import { createHash } from 'node:crypto';
import { eventBytesMax } from '../store-limits.js';
import { attachedDevice, event, expectAppended, type Subject, wholeLog } from './subject.js';

const samples: readonly (readonly [string, string])[] = [
  ['every character of one byte', Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index)).join('')],
  ['nothing at all', ''],
  ['characters of two, three and four bytes', '"\u00e9 \u0800 \uffff \u{1f4dc}"'],
  ['a byte order mark, before and after', '\ufeff{}\ufeff'],
  ['what stands for bytes that are no UTF-8', '"\ufffd\ufffd"'],
  ['controls that are no line break', '\r\t\u0001\u000b\u001f\u007f\u0085\u2028'],
  ['the largest event', 'x'.repeat(eventBytesMax)],
  ['the largest event of two bytes a character', '\u00e9'.repeat(eventBytesMax / 2)],
];

/** What is handed in comes out, to the letter, whatever either side does to its own copy. */
export function promiseExactText(subject: Subject): void {
  describe('the data of an event', () => {
    it.each(samples)('comes back exactly: %s', async (_what, data) => {
      const { store } = subject;
      const given = event('text', 0, data);
      await expectAppended(store.append([{ stream: attachedDevice, expectedRevision: 'no-stream', events: [given] }]));
      const sha256 = createHash('sha256').update(data, 'utf8').digest('hex');
      const { id, type } = given;
      const recorded = { position: 0, stream: attachedDevice, revision: 0, id, type, sha256, data };
      const reads = [
        ...(await store.readStream(attachedDevice)).events,
        ...(await store.readAll()).events,
        await store.findEvent(given.id),
      ];
      expect(reads).toEqual([recorded, recorded, recorded]);
    });

    it('is what was handed over, even when the caller reuses its objects at once', async () => {
      const { store } = subject;
      const reused = event('text', 0, '[1,2,3]');
      const events = [reused];
      const outcome = store.append([{ stream: attachedDevice, expectedRevision: 'no-stream', events }]);
      Object.assign(reused, { data: '[0,0,0]' });
      events.pop();
      await expectAppended(outcome);
      expect((await wholeLog(store)).map((recorded) => recorded.data)).toEqual(['[1,2,3]']);
    });

    it('does not change in the log when a reader writes into what it was given', async () => {
      const { store } = subject;
      const given = event('text', 0, '[1,2,3]');
      await store.append([{ stream: attachedDevice, expectedRevision: 'no-stream', events: [given] }]);
      const reads = async () => [
        ...(await store.readStream(attachedDevice)).events,
        ...(await store.readAll()).events,
        await store.findEvent(given.id),
      ];
      for (const read of await reads()) Object.assign(read ?? {}, { revision: 9, type: 'Changed', data: '' });
      ((await store.readAll()).events as unknown[]).length = 0;
      for (const read of await reads()) {
        expect(read).toMatchObject({ revision: 0, type: given.type, data: '[1,2,3]' });
      }
    });
  });
}
