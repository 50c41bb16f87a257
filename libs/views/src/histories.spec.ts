import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { anyHistory, seed } from '../test/random-steps.js';
import { evidenceByFolding, rowsByFolding } from '../test/rows-by-folding.js';
import { scratchFiles, TestLog } from './testing.js';
import { inMemory } from './view-file.js';
import { Views } from './views.js';

const silent = (): void => undefined;
const fileOf = scratchFiles();

/** What the views live through between two things that happen. */
const anyMoment = fc.constantFrom('nothing', 'nothing', 'followed', 'reopened', 'failed');

/** Follows, but with a file that fails after the rows of the page were written and before its checkpoints. */
async function failOnce(views: Views, file: string): Promise<void> {
  const meddler = new DatabaseSync(file);
  meddler.exec(`CREATE TRIGGER fail BEFORE INSERT ON checkpoint BEGIN SELECT RAISE(ABORT, 'disk gone'); END`);
  await views.follow().catch(silent);
  meddler.exec('DROP TRIGGER fail');
  meddler.close();
}

async function expectTrue(views: Views, log: TestLog): Promise<void> {
  const rebuilt = await Views.open(log.store, inMemory, silent);
  const [functions, devices] = [await views.functions({}, '', 1_000), await views.devices({}, '', 1_000)];
  const folded = await rowsByFolding(log);
  expect(functions).toMatchObject({ rows: folded.functions, more: false });
  expect(devices).toEqual({ kind: 'listed', rows: folded.devices, more: false });
  expect(await views.migrations({}, -1, 1_000)).toEqual({ kind: 'listed', rows: folded.migrations, more: false });
  const orphans = await views.clashes({ kind: 'stated-pf-is-unregistered' }, 0, 1_000);
  expect(orphans).toMatchObject({ rows: folded.withoutPf.map((position) => ({ position })), more: false });
  expect(new Map(views.evidenceBehind('start')?.models)).toEqual(await evidenceByFolding(log));
  await rebuilt.follow();
  await views.follow();
  expect(views.state()).toEqual(rebuilt.state());
  expect(views.halted()).toEqual([]);
  await rebuilt.close();
}

describe('random histories', () => {
  it('hold whatever happens to devices and migrations', async () => {
    const types = new Set<string>();
    for (const steps of fc.sample(anyHistory, { seed: 20261128, numRuns: 120 })) {
      const log = new TestLog();
      for (const step of steps) await step(log);
      for (const { event } of await log.events()) types.add(event.type);
    }
    expect([
      'HostFactsObserved', 'FunctionRetired', 'LayoutConfirmed', 'LayoutDiverged', 'DeviceMoved', 'LayoutImported',
      'DeviceDetached', 'PasidEnabled',
      'PasidAttached', 'PasidOperationFailed', 'PasidsDetached', 'MigrationPlanned', 'MigrationPrepared',
      'MigrationCompleted', 'MigrationAborted',
    ].filter((type) => !types.has(type))).toEqual([]);
  });
});

describe(`after any history (CADASTRE_SEED=${seed})`, () => {
  it('views in memory equal a rebuild, and what the deciders fold', async () => {
    await fc.assert(fc.asyncProperty(anyHistory, fc.infiniteStream(fc.boolean()), async (steps, follows) => {
      const log = new TestLog();
      const views = await Views.open(log.store, inMemory, silent);
      for (const step of steps) {
        await step(log);
        if (follows.next().value) await views.follow();
      }
      await expectTrue(views, log);
      await views.close();
    }), { seed, numRuns: 60 });
  });

  it('so do views in a file, through restarts and failing transactions', async () => {
    await fc.assert(fc.asyncProperty(anyHistory, fc.infiniteStream(anyMoment), async (steps, moments) => {
      const log = new TestLog();
      const file = fileOf();
      const said: string[] = [];
      const open = (): Promise<Views> => Views.open(log.store, file, (line) => said.push(line));
      let views = await open();
      for (const step of steps) {
        await step(log);
        switch (moments.next().value) {
          case 'followed': await views.follow(); break;
          case 'failed': await failOnce(views, file); break;
          case 'reopened':
            await views.close();
            views = await open();
        }
      }
      await expectTrue(views, log);
      expect(said).toEqual([]);
      await views.close();
    }), { seed, numRuns: 20 });
  });
});
