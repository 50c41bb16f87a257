import { type EventStore } from '../event-store.js';
import {
  attachedDevice, attachedFunction, event, expectAppended, first, one, type Subject, wholeLog,
} from './subject.js';

/** What was acknowledged is there after a restart, and the story goes on where it stopped. */
export function promiseRestart(subject: Subject, reopen: (closed: EventStore) => Promise<EventStore>): void {
  describe('after a restart', () => {
    const restarted = async () => {
      await subject.store.close();
      return reopen(subject.store);
    };

    it('an empty log is still empty', async () => {
      expect(await (await restarted()).readAll()).toEqual({ events: [], head: 'empty' });
    });

    it('the log is to the letter what it was', async () => {
      await subject.store.append([
        { stream: attachedDevice, expectedRevision: 'no-stream', events: [event('a', 0), event('a', 1)] },
        { stream: attachedFunction, expectedRevision: 'no-stream', events: [event('a', 2, '"\u{1f4dc}"')] },
      ]);
      const before = await wholeLog(subject.store);
      expect(await wholeLog(await restarted())).toEqual(before);
    });

    it('a repeated append still gets the answer of the first one', async () => {
      const batch = [one(attachedDevice, 'no-stream', 'attach'), one(attachedFunction, 'no-stream', 'claim')];
      const told = await expectAppended(subject.store.append(batch));
      await subject.store.append([one(attachedDevice, first, 'later')]);
      expect(await (await restarted()).append(batch)).toEqual({ ...told, again: true });
    });

    it('positions and revisions go on where they stopped', async () => {
      await subject.store.append([one(attachedDevice, 'no-stream', 'a')]);
      const store = await restarted();
      expect(await store.append([one(attachedDevice, 'no-stream', 'b')]))
        .toMatchObject({ kind: 'revision-moved', actual: 0 });
      const outcome = await expectAppended(store.append([one(attachedDevice, first, 'b')]));
      expect(outcome).toMatchObject({ position: 1, revisions: new Map([[attachedDevice, 1]]) });
    });
  });
}
