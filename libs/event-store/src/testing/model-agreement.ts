import fc from 'fast-check';
import { EventId } from '../event-id.js';
import { type EventStore } from '../event-store.js';
import { type ExpectedRevision } from '../expected-revision.js';
import { Position } from '../position.js';
import { type RecordedEvent } from '../recorded-event.js';
import { type StreamAppend } from '../stream-append.js';
import { StreamName } from '../stream-name.js';
import { StreamRevision } from '../stream-revision.js';
import { Oracle } from './oracle.js';
import { patienceMs, type Subject } from './subject.js';

const runs = 100;
const stepsMax = 40;

// Small worlds: few streams, ids, types and bytes, so that collisions and lost races are the rule.
const streams = ['function-hostA/0000:3b:00.1', 'device-vm1/gpu0', 'device-vm1/gpu1'].map((it) => StreamName.from(it));
const anyStream = fc.constantFrom(...streams);
const anyEvent = fc.record({
  id: fc.nat(60).map((index) => EventId.derive('model', index)),
  type: fc.constantFrom('DeviceAttached', 'DeviceDetached'),
  data: fc.constantFrom('', 'a', 'b'),
});
const anyBelief = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 1, 'no-stream' as const));
const anyWish = fc.record({
  stream: anyStream, belief: anyBelief, events: fc.array(anyEvent, { maxLength: 3 }),
});

type Wish = typeof anyWish extends fc.Arbitrary<infer T> ? T : never;
type Step =
  | { readonly kind: 'append'; readonly together: readonly (readonly Wish[])[] }
  | { readonly kind: 'repeat'; readonly earlier: number }
  | { readonly kind: 'read-stream'; readonly stream: StreamName; readonly from: number; readonly limit: number }
  | { readonly kind: 'read-all'; readonly from: number; readonly limit: number }
  | { readonly kind: 'find'; readonly index: number };

const anyBatch = fc.uniqueArray(anyWish, { minLength: 1, maxLength: 3, selector: ({ stream }) => stream });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({
    kind: fc.constant('append' as const), together: fc.array(anyBatch, { minLength: 1, maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), earlier: fc.nat(10) }) },
  fc.record({ kind: fc.constant('read-stream' as const), stream: anyStream, from: fc.nat(8), limit: fc.integer({
    min: 1, max: 8 }) }),
  fc.record({ kind: fc.constant('read-all' as const), from: fc.nat(12), limit: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('find' as const), index: fc.nat(60) }),
);

/** Whatever is asked of a store in whatever order, it answers as a plain array would. fast-check prints the seed. */
export function promiseModelAgreement(subject: Subject): void {
  describe('any history of appends and reads', () => {
    it(`is told the same by the store and by a plain array, in each of ${runs} histories`, async () => {
      // `size: 'max'`, since fast-check would otherwise try histories of a few steps only.
      const anyHistory = fc.array(anyStep, { maxLength: stepsMax, size: 'max' });
      await fc.assert(fc.asyncProperty(anyHistory, async (steps) => {
        const store = await subject.fresh();
        const history = new History(store);
        for (const step of steps) await history.take(step);
        await history.compareAll();
        await store.close();
      }), { numRuns: runs });
    }, patienceMs);
  });
}

/** One run: each step is asked of the store and of the oracle, and the answers are compared. */
class History {
  readonly #oracle = new Oracle();
  readonly #asked: (readonly StreamAppend[])[] = [];
  readonly #store: EventStore;

  constructor(store: EventStore) {
    this.#store = store;
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'append': return this.#append(step.together);
      case 'repeat': return this.#repeat(step.earlier);
      case 'read-stream': return this.#readStream(step.stream, step.from, step.limit);
      case 'read-all': return this.#readAll(step.from, step.limit);
      case 'find': return this.#find(EventId.derive('model', step.index));
    }
  }

  async compareAll(): Promise<void> {
    await this.#readAll(0, this.#oracle.length + 1);
    for (const stream of streams) await this.#readStream(stream, 0, this.#oracle.length + 1);
  }

  // Appends that are under way together are decided in the order in which they were asked for.
  async #append(together: readonly (readonly Wish[])[]): Promise<void> {
    const batches = together.map((wishes) => wishes.map(({ stream, belief, events }) =>
      ({ stream, expectedRevision: believed(this.#oracle.revisionOf(stream), belief), events })));
    this.#asked.push(...batches);
    const told = batches.map((batch) => this.#store.append(batch).catch((error: unknown) => {
      if (error instanceof RangeError) return 'throws' as const;
      throw error;
    }));
    const due = batches.map((batch) => this.#oracle.append(batch));
    expect(await Promise.all(told)).toEqual(due);
  }

  async #repeat(earlier: number): Promise<void> {
    const batch = this.#asked.at(-1 - earlier);
    if (batch === undefined) return;
    const due = this.#oracle.append(batch);
    if (due !== 'throws') expect(await this.#store.append(batch)).toEqual(due);
  }

  async #readStream(stream: StreamName, from: number, limit: number): Promise<void> {
    const page = await this.#store.readStream(stream, { from: StreamRevision.from(from), limit });
    const revision = this.#oracle.revisionOf(stream);
    expect(page.events.map(shown)).toEqual(this.#oracle.stream(stream, from, limit));
    expect(page.revision).toBe(revision);
    expect(page.endOfStream).toBe(revision === 'no-stream' || from + limit > revision);
  }

  async #readAll(from: number, limit: number): Promise<void> {
    const after = from === 0 ? 'start' : Position.from(from - 1);
    const page = await this.#store.readAll({ after, limit });
    expect(page.events.map(shown)).toEqual(this.#oracle.log(from, limit));
    expect(page.head).toBe(this.#oracle.length === 0 ? 'empty' : this.#oracle.length - 1);
  }

  async #find(id: EventId): Promise<void> {
    const found = await this.#store.findEvent(id);
    expect(found && shown(found)).toEqual(this.#oracle.event(id));
  }
}

/** What a writer expects that is right (0), one behind (-1), one ahead (1), or takes the stream for new. */
function believed(actual: ExpectedRevision, belief: number | 'no-stream'): ExpectedRevision {
  if (belief === 'no-stream' || belief === 0) return belief === 0 ? actual : belief;
  const revision = (actual === 'no-stream' ? -1 : actual) + belief;
  return revision < 0 ? 'no-stream' : StreamRevision.from(revision);
}

function shown({ position, stream, revision, id, type, data }: RecordedEvent): object {
  return { position, stream, revision, id, type, data };
}
