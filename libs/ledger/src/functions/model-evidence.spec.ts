import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ConfigSpace, survey } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { Digest, Evidence, type FurtherCapture } from '@cadastre/device-layout';
import {
  EventId, type EventStore, MemoryEventStore, pageSizeMax, type StreamAppend, StreamName,
} from '@cadastre/event-store';
import {
  decodeEvent, encodeEvent, functionStream, type LedgerEvent, Observation, type SriovFacts,
} from '@cadastre/lifecycle';
import { inMemory, Views } from '@cadastre/views';
import fc from 'fast-check';
import { endpoint, functionKey, TestLedger } from '../testing.js';
import { ModelEvidence } from './model-evidence.js';

const seed = Number(process.env['CADASTRE_SEED'] ?? Date.now() % 2 ** 31);
const silent = (): void => undefined;

/** A store that counts the reads of its log, and the events they give away. */
class CountingStore extends MemoryEventStore {
  reads = 0;
  read = 0;

  override async readAll(...given: Parameters<MemoryEventStore['readAll']>): ReturnType<MemoryEventStore['readAll']> {
    const page = await super.readAll(...given);
    this.reads += 1;
    this.read += page.events.length;
    return page;
  }
}

const spaces: readonly ConfigSpace[] = [{}, { 0x13a: [1] }, { 0x13a: [1, 1], 0x400: [7] }, { 0xffc: [1] }].flatMap(
  (bytes) => [1, 2, 0xffff].map((deviceId) => buildConfigSpace({
    deviceId, ...(deviceId === 0xffff ? { vendorId: 0xffff } : {}),
    standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }], extended: [{ id: 0x0001, offset: 0x100 }], bytes,
  })));

interface Sight {
  readonly slot: number;
  readonly space: number;
  readonly sriov: SriovFacts;
}

const anySight: fc.Arbitrary<Sight> = fc.record({
  slot: fc.nat(4), space: fc.nat(spaces.length - 1),
  sriov: fc.constantFrom<SriovFacts>({ role: 'none', pf: null }, { role: 'vf', pf: null }, { role: 'pf', pf: null }),
});

function observationOf({ space, sriov }: Sight): Observation {
  const bytes = spaces[space];
  if (!bytes) throw new Error(`there is no space ${space}`);
  return Observation.of(bytes, {
    kernel: { release: '7.2.13', flavour: 'upstream' }, sriov,
    iommu: { maxPasidLog2: 16, exec: false, priv: true, atsSupported: true },
  });
}

/** Writes one event for each sight, behind what each function has: the same bytes in another role are host facts. */
async function see(store: EventStore, sights: readonly Sight[]): Promise<void> {
  for (const sight of sights) {
    const stream = StreamName.from(functionStream(functionKey(`0000:3b:00.${sight.slot}`)));
    const { revision, events } = await store.readStream(stream);
    const { head } = await store.readAll({ limit: 1 });
    const observation = observationOf(sight);
    const captured = events.findLast(({ type }) => type === 'FunctionObserved');
    const before = captured && decodeEvent(captured.data).event;
    const isKnown = before?.type === 'FunctionObserved' && before.configSpace === observation.configSpace;
    const event = captured && isKnown ? told(observation, captured.revision) : seen(observation);
    await append(store, [{ stream, expectedRevision: revision, events: [recorded(event, String(head))] }]);
  }
}

function seen(observation: Observation): LedgerEvent {
  return { type: 'FunctionObserved', schema: 1, ...observation, holder: null, dangers: [] };
}

function told(
  { configSpaceDigest, kernel, firmware, iommu, sriov }: Observation, configSpaceRevision: number,
): LedgerEvent {
  return {
    type: 'HostFactsObserved', schema: 1, holder: null, dangers: [], configSpaceDigest, configSpaceRevision, kernel,
    firmware, iommu, sriov,
  };
}

function observed(sight: Sight, idempotencyKey: string): StreamAppend['events'][number] {
  return recorded(seen(observationOf(sight)), idempotencyKey);
}

function recorded(event: LedgerEvent, idempotencyKey: string): StreamAppend['events'][number] {
  const envelope = { idempotencyKey, requestDigest: Digest.of(''), recordedAt: '2026-11-28T00:00:00.000Z' };
  return { id: EventId.derive(idempotencyKey, 0), type: event.type, data: encodeEvent({ event, envelope }) };
}

async function append(store: EventStore, batch: readonly StreamAppend[]): Promise<void> {
  const { kind } = await store.append(batch);
  if (kind !== 'appended') throw new Error(`the log answered ${kind}`);
}

/** What is known of each model from all observations in the log, by nothing but `Evidence`. */
async function folded(store: EventStore): Promise<ReadonlyMap<string, Evidence>> {
  const captures = new Map<string, FurtherCapture[]>();
  const newest = new Map<string, Observation>();
  const { events } = await store.readAll();
  for (const { stream, revision, data } of events) {
    const { event } = decodeEvent(data);
    const before = newest.get(stream);
    const now = event.type === 'FunctionObserved' ? event
      : event.type === 'HostFactsObserved' && before ? { ...before, sriov: event.sriov } : undefined;
    if (!now) continue;
    newest.set(stream, now);
    const known = captures.get(modelOf(now)) ?? [];
    const surveyed = survey(Observation.configSpace(now), now.sriov.role);
    captures.set(modelOf(now), [...known, { source: `${stream}@${revision}`, survey: surveyed }]);
  }
  return new Map([...captures].map(([model, of]) => [model, Evidence.of(of)]));
}

function modelOf(observation: Observation): string {
  const space = Observation.configSpace(observation);
  const ids = space.u16(0) === 0xffff ? [space.u16(0x2c), space.u16(0x2e)] : [space.u16(0), space.u16(2)];
  return [...ids, observation.sriov.role].join();
}

const allSights = spaces.flatMap((_, space) =>
  (['none', 'vf', 'pf'] as const).map((role): Sight => ({ slot: 0, space, sriov: { role, pf: null } })));

/** A capture is no evidence on itself. */
async function expectAll(evidence: ModelEvidence, store: EventStore): Promise<void> {
  const models = await folded(store);
  for (const sight of allSights) {
    const asked = observationOf(sight);
    const known = models.get(modelOf(asked));
    const isTold = known?.named.some(({ configSpaceDigest }) => configSpaceDigest !== asked.configSpaceDigest);
    expect(partsOf(await evidence.of(asked))).toEqual(partsOf(isTold ? known : null));
  }
}

/** All that an answer of evidence is made from, and what a decision records of it. */
function partsOf(evidence: Evidence | null | undefined): object | null {
  return evidence ? { told: evidence.told, named: evidence.named, looked: evidence.looked } : null;
}

function meddle(file: string, text: string): void {
  const meddler = new DatabaseSync(file);
  meddler.exec(text);
  meddler.close();
}

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cadastre-evidence-'));
});
afterEach(() => rmSync(home, { recursive: true }));

describe(`evidence on models, of rows and of the log (CADASTRE_SEED=${seed})`, () => {
  it('is what a fold of the whole log gives, whatever the rows have of it and whenever they fail', async () => {
    const moments = fc.constantFrom('asked', 'asked', 'followed', 'restarted', 'rows fail', 'rows damaged');
    const anyTime = fc.tuple(fc.array(anySight, { maxLength: 6 }), moments);
    const anyHistory = fc.array(anyTime, { minLength: 4, maxLength: 12 });
    await fc.assert(fc.asyncProperty(anyHistory, async (history) => {
      const store = new MemoryEventStore();
      const file = join(mkdtempSync(join(home, 'h-')), 'views.sqlite');
      let views = await Views.open(store, file, silent);
      let evidence = new ModelEvidence(store, views, silent);
      for (const [sights, moment] of history) {
        await see(store, sights);
        switch (moment) {
          case 'asked': await expectAll(evidence, store); break;
          case 'followed': await views.follow().catch(silent); break;
          case 'rows fail': meddle(file, 'DROP TABLE IF EXISTS model_capture'); break;
          case 'rows damaged': meddle(file, 'UPDATE model SET looked = looked + 1'); break;
          case 'restarted':
            await views.close();
            views = await Views.open(store, file, silent).catch(() => Views.anew(store, file));
            evidence = new ModelEvidence(store, views, silent);
        }
      }
      await expectAll(evidence, store);
      await expectAll(new ModelEvidence(store, views, silent), store);
      await views.close();
    }), { seed, numRuns: 25 });
  });
});

describe('evidence on models', () => {
  const none: SriovFacts = { role: 'none', pf: null };
  const pf: SriovFacts = { role: 'pf', pf: null };
  const odd = endpoint().patched([{ offset: 0x800 as never, mask: 0xff, value: 0x5a }]);
  const plainIn = (sriov: SriovFacts): Observation =>
    Observation.of(endpoint(), { ...observationOf(sightOf(0)), sriov });
  const sightOf = (space: number): Sight => ({ slot: 0, space, sriov: { role: 'none', pf: null } });
  const [first, second, third] = [sightOf(0), sightOf(3), sightOf(6)] as const;
  const stream = StreamName.from(functionStream(functionKey('0000:3b:00.0')));

  async function seenBefore(count: number): Promise<{ store: CountingStore; views: Views }> {
    const store = new CountingStore();
    await append(store, [{
      stream, expectedRevision: 'no-stream',
      events: Array.from({ length: count }, (_, index) => observed(index === 7 ? second : first, `key-${index}`)),
    }]);
    const views = await Views.open(store, inMemory, silent);
    await views.follow();
    store.read = 0;
    return { store, views };
  }

  /** Two pages. */
  async function seeMore(store: EventStore): Promise<void> {
    for (const page of ['one', 'two']) {
      const { revision: expectedRevision } = await store.readStream(stream, { limit: 1 });
      const events = Array.from({ length: pageSizeMax }, (_, index) => observed(first, `${page}-${index}`));
      await append(store, [{ stream, expectedRevision, events }]);
    }
  }

  it('is read after a start from the rows, and from the log only as far as it is further', async () => {
    const { store, views } = await seenBefore(600);
    await see(store, [third]);
    store.read = 0;
    const evidence = new ModelEvidence(store, views);
    expect(await evidence.of(observationOf(first))).toMatchObject({ looked: 601, named: [{}, {}, {}] });
    // The event the rows stand behind, to see that the log has it, and the one that came since.
    expect(store.read).toBe(2);
    await evidence.of(observationOf(second));
    expect(store.read).toBe(2);
  });

  it('takes the rows also later, where the log went on for more than a page', async () => {
    const { store, views } = await seenBefore(10);
    const evidence = new ModelEvidence(store, views);
    await evidence.of(observationOf(first));
    await seeMore(store);
    await views.follow();
    store.read = 0;
    expect(await evidence.of(observationOf(first))).toMatchObject({ looked: 10 + 2 * pageSizeMax });
    expect(store.read).toBe(pageSizeMax + 1);
  });

  it('is read once for all who ask in one turn of the event loop', async () => {
    const { store } = await seenBefore(20);
    const evidence = new ModelEvidence(store);
    await evidence.of(observationOf(first));
    store.reads = 0;
    const asked = Array.from({ length: 10 }, async (_, before) => {
      // Each after as many other promises, as commands are that have read their streams.
      for (let index = 0; index < before; index += 1) await Promise.resolve();
      return evidence.of(observationOf(first));
    });
    expect(new Set((await Promise.all(asked)).map((told) => told?.looked))).toEqual(new Set([20]));
    expect(store.reads).toBe(1);
  });

  it('has what was recorded before the question, also when a read is under way', async () => {
    const { store } = await seenBefore(20);
    const evidence = new ModelEvidence(store);
    const early = evidence.of(observationOf(first));
    const late = Array.from({ length: 5 }, async (_, index) => {
      for (let turn = 0; turn < index; turn += 1) await nextTurn();
      await append(store, [{
        stream: StreamName.from(functionStream(functionKey(`0000:3c:00.${index}`))), expectedRevision: 'no-stream',
        events: [observed(third, `late-${index}`)],
      }]);
      return { least: 21 + index, looked: (await evidence.of(observationOf(first)))?.looked };
    });
    expect((await early)?.looked).toBeGreaterThanOrEqual(20);
    for (const { least, looked } of await Promise.all(late)) expect(looked).toBeGreaterThanOrEqual(least);
  });

  it('believes no rows of another log', async () => {
    const { views } = await seenBefore(20);
    const other = new CountingStore();
    await see(other, [first, second]);
    expect(await new ModelEvidence(other, views).of(observationOf(first))).toMatchObject({ looked: 2 });
  });

  it('is read from the log when the rows fail, and a line says so once', async () => {
    const { store } = await seenBefore(20);
    const said: string[] = [];
    const rows = {
      evidenceBehind: () => {
        throw Object.assign(new Error('disk gone'), { errcode: 10 });
      },
    };
    const evidence = new ModelEvidence(store, rows, (line) => said.push(line));
    expect(await evidence.of(observationOf(first))).toMatchObject({ looked: 20 });
    await seeMore(store);
    await see(store, [third]);
    const looked = 21 + 2 * pageSizeMax;
    expect(await evidence.of(observationOf(first))).toMatchObject({ looked, named: [{}, {}, {}] });
    expect(said).toEqual(['evidence on models is read from the log from now on, since its rows fail: disk gone']);
  });

  it('hides no mistake of ours behind the rows', async () => {
    const rows = {
      evidenceBehind: () => {
        throw new TypeError('a mistake');
      },
    };
    await expect(new ModelEvidence(new MemoryEventStore(), rows).of(observationOf(first))).rejects.toThrow('a mistake');
  });

  it('counts host facts as one more look at bytes that are known, and names no capture twice', async () => {
    const store = new MemoryEventStore();
    const ledger = await TestLedger.open(store);
    await ledger.observe('o1', functionKey(), odd);
    for (const release of ['7.3.1', '7.4.0']) await ledger.observe(release, functionKey(), odd, none, release);
    const evidence = await new ModelEvidence(store).of(plainIn(none));
    expect(evidence).toMatchObject({ looked: 3, named: [{ source: 'function-host-a/0000:3b:00.1@1' }] });
  });

  it('has bytes under another role for evidence of the model in that role, too', async () => {
    const store = new MemoryEventStore();
    const ledger = await TestLedger.open(store);
    await ledger.observe('o1', functionKey(), odd);
    const evidence = new ModelEvidence(store);
    expect(await evidence.of(plainIn(pf))).toBeNull();
    await ledger.observe('o2', functionKey(), odd, pf);
    const source = 'function-host-a/0000:3b:00.1@2';
    expect((await evidence.of(plainIn(pf)))?.inUse({ offset: 0x800, length: 1 })).toMatchObject({ source });
    expect((await evidence.of(plainIn(none)))?.looked).toBe(1);
  });
});
