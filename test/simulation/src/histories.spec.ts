import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { History, Tally } from './history.js';
import { CountingClock, type Home, homeInMemory, homeOnDisk } from './home.js';
import { type Loss, losses } from './losing-store.js';
import { anyRequest, type Request } from './request.js';
import { slots } from './world.js';

const isLong = process.env['CADASTRE_LONG'] === '1';
const seed = Number(process.env['CADASTRE_SEED'] ?? Date.now() % 2 ** 31);
const timeoutMs = isLong ? 7_200_000 : 240_000;
/** Making a failing history small may take longer than anybody waits: then the smallest so far is told. */
const patienceMs = timeoutMs / 2;

type HistoryCommand = fc.AsyncCommand<object, History>;

/** One thing that happens to a ledger; the model is in the history, so fast-check's has nothing to hold. */
class Step implements HistoryCommand {
  constructor(private readonly words: string, private readonly happens: (history: History) => Promise<void>) {}

  check(): boolean {
    return true;
  }

  run(_model: object, history: History): Promise<void> {
    return this.happens(history);
  }

  toString(): string {
    return this.words;
  }
}

const step = (words: unknown, happens: (history: History) => Promise<void>): Step =>
  new Step(JSON.stringify(words), happens);
const anyLoss = fc.constantFrom<Loss | null>(...new Array<null>(10).fill(null), ...losses);
const anyAim = fc.constantFrom(true, true, true, false);
const back = fc.nat(20);
const anyStep: fc.Arbitrary<HistoryCommand> = fc.oneof(
  { weight: 40, arbitrary: fc.tuple(anyRequest, anyAim, anyLoss).map(([request, aim, loss]) =>
    step([request, aim ? 'aimed' : 'anywhere', loss], (history) => history.send(request, aim, loss))) },
  { weight: 3, arbitrary: back.map((one) => step(['repeat', one], (history) => history.repeat(one))) },
  { weight: 1, arbitrary: fc.tuple(back, anyRequest).map(([one, request]) =>
    step(['reuse the key of', one, request], (history) => history.reuseKey(one, request))) },
  { weight: 1, arbitrary: fc.constant(step('restart', (history) => history.restart())) },
  { weight: 1, arbitrary: fc.constant(step('list', (history) => history.list())) },
);

/** Cards that are there from the beginning: most of them, so that something can happen. */
const anyBeginning = fc.subarray(slots.map((_, index) => index), { minLength: 7 });

async function live(
  home: Home, beginning: readonly number[], steps: Iterable<HistoryCommand>, tally: Tally,
): Promise<void> {
  const history = await History.begin(home, tally);
  try {
    for (const slot of beginning) {
      await history.send({ kind: 'observe', slot, look: 0, facts: 0, stale: false }, false, null);
    }
    await fc.asyncModelRun(() => ({ model: {}, real: history }), steps);
    await history.expectOneTruth();
  } finally {
    await history.end();
  }
}

async function expectAll(homeOf: () => Home, runs: number, tally: Tally, from = seed): Promise<void> {
  const steps = fc.commands([anyStep], { maxCommands: 150, size: 'max' });
  await fc.assert(fc.asyncProperty(anyBeginning, steps, (beginning, happening) =>
    live(homeOf(), beginning, happening, tally)), {
    // fast-check would begin with short histories, in which nothing can happen.
    seed: from, numRuns: isLong ? runs * 40 : runs, unbiased: true, interruptAfterTimeLimit: patienceMs,
  });
}

/** What is to happen and to be refused in any run: other kinds may by chance be missing from it. */
const kinds = [
  'attach', 'decide', 'see', 'detach', 'retire', 'enable-pasid', 'attach-pasid', 'reset-pasids', 'enable-ats',
  'enable-pri', 'plan', 'prepare', 'complete',
];

const looks = ['registered', 'observed', 'host-facts-observed', 'confirmed'];

function missing(tally: Tally): readonly string[] {
  const outcomes = [...kinds.flatMap((kind) => [[kind, 'recorded'], [kind, 'refused']] as const),
    ...looks.map((look) => [look, 'recorded'] as const)];
  return outcomes.filter(([kind, outcome]) => tally.of(kind, outcome) === 0).map((one) => one.join(' '));
}

describe(`any history of a fleet (CADASTRE_SEED=${seed})`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'cadastre-simulation-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('is what a clerk with plain maps would have noted, in memory', async () => {
    const tally = new Tally();
    // In one of some hundred rounds nobody happens to complete a migration: then there is another one.
    for (let round = 0; round < 3 && missing(tally).length > 0; round += 1) {
      await expectAll(() => homeInMemory(new CountingClock()), 24, tally, seed + round);
    }
    expect(missing(tally)).toEqual([]);
  }, timeoutMs);

  it('in which a guest in danger gets another layout, and the same look sees that it is safe', async () => {
    const tally = new Tally();
    const seen = (look: number): Request => ({ kind: 'observe', slot: 0, look, facts: 0, stale: false });
    const wish = { device: 0, wish: 'pasid', vmm: 'generic', stale: false } as const;
    const requests: readonly Request[] = [
      seen(0), { kind: 'attach', slot: 0, ...wish }, seen(2), seen(2), { kind: 'decide', ...wish }, seen(2), seen(2),
    ];
    const history = await History.begin(homeInMemory(new CountingClock()), tally);
    for (const request of requests) await history.send(request, false, null);
    await history.expectOneTruth();
    await history.end();
    expect(looks.map((look) => tally.of(look, 'recorded'))).toEqual([1, 1, 1, 2]);
  });

  it('and on disk', async () => {
    await expectAll(() => homeOnDisk(new CountingClock(), directory), 6, new Tally());
  }, timeoutMs);
});
