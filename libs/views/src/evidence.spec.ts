import { DatabaseSync } from 'node:sqlite';
import { readFileSync, readdirSync } from 'node:fs';
import { readLspciText, survey } from '@cadastre/config-space';
import { canonicalJson, Digest, Evidence } from '@cadastre/device-layout';
import { functionKey, scratchFiles, sure, TestLog, vfOf, virtualKind } from './testing.js';
import { inMemory, viewsVersion } from './view-file.js';
import { Views } from './views.js';

const silent = (): void => undefined;
const fileOf = scratchFiles();
const kind = { deviceId: 0x1041 };

type Told = readonly [looked: number, sources: readonly string[]];

async function evidenceIn(views: Views): Promise<Record<string, Told>> {
  await views.follow();
  const models = views.evidenceBehind('start')?.models ?? new Map<string, Evidence>();
  return Object.fromEntries([...models].map(([model, { looked, named }]) =>
    [model, [looked, named.map(({ source }) => source)]]));
}

describe('the evidence on a model', () => {
  it('names the observations that told something new, and counts the others', async () => {
    const log = new TestLog();
    const views = await Views.open(log.store, inMemory, silent);
    await log.observe(functionKey(), kind);
    await log.observe(functionKey('0000:3c:00.0', 'host-b'), kind);
    await log.observe(functionKey('0000:3d:00.0'), { ...kind, strayAt: 0x13a });
    await log.observe(functionKey('0000:3e:00.0'), { deviceId: 0x1042 });
    await log.observe(functionKey(), { ...kind, strayAt: 0x13b });
    expect(await evidenceIn(views)).toEqual({
      '1af4:1041 none': [4, [
        'function-host-a/0000:3b:00.0@1', 'function-host-a/0000:3d:00.0@1', 'function-host-a/0000:3b:00.0@2']],
      '1af4:1042 none': [1, ['function-host-a/0000:3e:00.0@1']],
    });
  });

  it('is of one role: a VF has the model of its subsystem, and other registers than its PF', async () => {
    const log = new TestLog();
    const views = await Views.open(log.store, inMemory, silent);
    await log.observe(functionKey('0000:3b:00.1'), virtualKind, vfOf('0000:3b:00.0'));
    await log.observe(functionKey(), kind, { role: 'pf', pf: null });
    await log.observe(functionKey('0000:3c:00.0'), kind);
    expect(Object.keys(await evidenceIn(views))).toEqual(['0000:0000 vf', '1af4:1041 none', '1af4:1041 pf']);
  });

  it('is told only as far as it is further than what the asker has', async () => {
    const log = new TestLog();
    const views = await Views.open(log.store, inMemory, silent);
    expect(views.evidenceBehind('start')).toBe(undefined);
    await log.observe(functionKey(), kind);
    expect(views.evidenceBehind('start')).toBe(undefined);
    await views.follow();
    const last = (await log.store.readAll()).events.at(-1);
    expect(views.evidenceBehind('start')?.upTo).toMatchObject({ position: 1, id: last?.id, sha256: last?.sha256 });
    expect(views.evidenceBehind(0 as never)?.models.size).toBe(1);
    expect(views.evidenceBehind(1 as never)).toBe(undefined);
  });

  it.each([
    ['a byte', `UPDATE model_capture SET in_use = replace(in_use, '"offset":0', '"offset":4')`],
    ['a capture', 'DELETE FROM model_capture WHERE place = 1'],
    ['the count', 'UPDATE model SET looked = looked - 1'],
  ])('of which %s is not what was written is not told, and nothing is added to it', async (_what, damage) => {
    const log = new TestLog();
    const file = fileOf();
    await log.observe(functionKey(), kind);
    await log.observe(functionKey('0000:3d:00.0'), { ...kind, strayAt: 0x13a });
    const before = await Views.open(log.store, file, silent);
    await before.follow();
    await before.close();
    const meddler = new DatabaseSync(file);
    expect(Number(meddler.prepare(damage).run().changes)).toBeGreaterThan(0);
    meddler.close();
    const views = await Views.open(log.store, file, silent);
    const reason = 'the evidence on 1af4:1041 none is not what was written';
    expect(() => views.evidenceBehind('start')).toThrow(reason);
    await log.observe(functionKey('0000:3e:00.0'), kind);
    expect(await views.functions({}, '', 10)).toMatchObject({ kind: 'listed', more: false });
    expect(views.halted()).toEqual([{ view: 'evidence', position: 5, reason }]);
    await views.close();
  });
});

describe('what rows tell of bytes', () => {
  it('has a version: whoever changes what a survey finds raises `viewsVersion`, and writes the new digest here', () => {
    const folder = new URL('../../../samples/', import.meta.url);
    const told = readdirSync(folder).filter((name) => name.endsWith('.lspci')).sort()
      .flatMap((name) => sure(readLspciText(readFileSync(new URL(name, folder), 'utf8'))))
      .map(({ space }) => Evidence.of([{ source: '', survey: survey(space) }]).told);
    expect({ viewsVersion, digest: Digest.of(canonicalJson(told)) }).toEqual({ 
      viewsVersion: 8, digest: 'sha256:94c1542fcb58af268595fb363df9276497080dd573408970d71f5e482d3f6335',
    });
  });
});
