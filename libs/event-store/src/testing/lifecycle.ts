import { EventId } from '../event-id.js';
import { StoreClosed } from '../store-closed.js';
import { attachedDevice, first, one, type Subject } from './subject.js';

/** A store says whether it can be written, and ends without losing anything. */
export function promiseLifecycle(subject: Subject): void {
  describe('the life of a store', () => {
    it('is writable as long as it is open', async () => {
      const { store } = subject;
      expect(await store.check()).toEqual({ writable: true });
      await store.close();
      expect(await store.check()).toMatchObject({ writable: false });
    });

    it('answers the appends it was given before it closes', async () => {
      const { store } = subject;
      const pending = [
        store.append([one(attachedDevice, 'no-stream', 'a')]),
        store.append([one(attachedDevice, first, 'b')]),
      ];
      await store.close();
      expect(await Promise.all(pending)).toMatchObject([{ kind: 'appended' }, { kind: 'appended' }]);
    });

    it('refuses every question once it is closed', async () => {
      const { store } = subject;
      await store.close();
      await expect(store.append([one(attachedDevice, 'no-stream', 'a')])).rejects.toThrow(StoreClosed);
      await expect(store.readAll()).rejects.toThrow(StoreClosed);
      await expect(store.readStream(attachedDevice)).rejects.toThrow(StoreClosed);
      await expect(store.findEvent(EventId.derive('a', 0))).rejects.toThrow(StoreClosed);
    });

    it('may be closed twice', async () => {
      await subject.store.close();
      await subject.store.close();
    });

    it('shares nothing with another store', async () => {
      const other = await subject.fresh();
      await subject.store.append([one(attachedDevice, 'no-stream', 'a')]);
      expect(await other.readAll()).toEqual({ events: [], head: 'empty' });
    });
  });
}
