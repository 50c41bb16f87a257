import { type EventStore } from '../event-store.js';
import { promiseAtomicAppends } from './atomic-appends.js';
import { promiseBounds } from './bounds.js';
import { promiseExactText } from './exact-text.js';
import { promiseLifecycle } from './lifecycle.js';
import { promiseModelAgreement } from './model-agreement.js';
import { promiseOneWinner } from './one-winner.js';
import { promiseRepeatableAppends } from './repeatable-appends.js';
import { promiseRestart } from './restart.js';
import { promiseStableReads } from './stable-reads.js';
import { type Promises } from './subject.js';

type Awaitable<T> = T | Promise<T>;

/** What a kind of store can do beyond the contract, said by name. */
export type EventStoreTraits =
  | { readonly survivesRestart: false }
  | {
    readonly survivesRestart: true;
    /** Opens the place of `closed`, a store that came from `open` and was closed, once more. */
    reopen(closed: EventStore): Awaitable<EventStore>;
  };

const everyStore: readonly Promises[] = [
  promiseAtomicAppends,
  promiseRepeatableAppends,
  promiseOneWinner,
  promiseExactText,
  promiseStableReads,
  promiseBounds,
  promiseModelAgreement,
  promiseLifecycle,
];

/**
 * The contract of `EventStore` as a jest suite; to be called in a spec file.
 * @param open opens an empty store, another one with each call; the suite closes it
 */
export function describeEventStore(name: string, open: () => Awaitable<EventStore>, traits: EventStoreTraits): void {
  describe(`Event store: ${name}`, () => {
    let opened: EventStore[] = [];
    let current: EventStore | undefined;
    const keep = (store: EventStore) => {
      opened.push(store);
      return store;
    };
    const subject = {
      get store(): EventStore {
        if (current === undefined) throw new Error('There is a store only while a test runs');
        return current;
      },
      fresh: async () => keep(await open()),
    };

    beforeEach(async () => {
      current = await subject.fresh();
    });
    afterEach(async () => {
      for (const store of opened) await store.close();
      opened = [];
    });

    for (const promise of everyStore) promise(subject);
    if (traits.survivesRestart) promiseRestart(subject, async (closed) => keep(await traits.reopen(closed)));
  });
}
