import { DatabaseSync } from 'node:sqlite';
import { MemoryEventStore } from '@cadastre/event-store';
import { deviceStream, functionStream } from '@cadastre/lifecycle';
import { deviceKey, functionKey, observationOf, scratchFiles, TestLog, vfOf, virtualKind } from './testing.js';
import { inMemory, viewsVersion } from './view-file.js';
import { eventsPerTransaction, Views } from './views.js';
import { type Model } from './model.js';
import { viewNames } from './projection.js';

const silent = (): void => undefined;
const fileOf = scratchFiles();
const kind = { deviceId: 0x1041 };

async function rowsOf<Row>(listed: Promise<{ readonly kind: string; readonly rows?: readonly Row[] }>): Promise<
  readonly Row[]
> {
  const { rows } = await listed;
  if (!rows) throw new Error('halted');
  return rows;
}

describe('a list', () => {
  it('has what was recorded before the question', async () => {
    const log = new TestLog();
    const views = await Views.open(log.store, inMemory, silent);
    expect(await views.functions({}, '', 10)).toEqual({ kind: 'listed', rows: [], more: false });
    await log.observe(functionKey(), { ...kind, msix: true });
    await log.attach(deviceKey(), functionKey());
    expect(await rowsOf(views.functions({}, '', 10))).toMatchObject([{
      key: functionKey(), revision: 2, since: 1, vendorId: 0x1af4, deviceId: 0x1041, classCode: 0x020000, role: 'none',
      model: '1af4:1041', capabilities: ['aer', 'exp', 'msix'], claim: deviceKey(),
    }]);
    const [device] = await rowsOf(views.devices({}, '', 10));
    expect(device).toMatchObject({
      key: deviceKey(), revision: 1, state: 'attached', function: functionKey(), model: '1af4:1041',
      capabilities: ['aer', 'exp', 'msix', 'pasid'],
    });
    expect(device?.layoutDigest).toMatch(/^sha256:/);
    await log.detach(deviceKey());
    expect(await rowsOf(views.devices({}, '', 10))).toEqual([{
      key: deviceKey(), since: 2, revision: 2, state: 'detached', function: null, model: null, capabilities: [],
      layoutDigest: null, vmm: null, verdict: null,
    }]);
    expect(await rowsOf(views.vms('', 10))).toEqual([{ vm: 'vm-1', devices: 1, attached: 0 }]);
  });

  it('has a function as its host tells it, with what its bytes told before', async () => {
    const log = new TestLog();
    const views = await Views.open(log.store, inMemory, silent);
    const vf = functionKey('0000:3b:00.1');
    await log.observe(functionKey(), { ...kind, vfDeviceId: 0x154c, serial: 7 });
    await log.observe(vf, virtualKind);
    const [before] = await rowsOf(views.functions({}, '', 10));
    await log.observe(functionKey(), { ...kind, vfDeviceId: 0x154c, serial: 7 }, { role: 'pf', pf: null });
    await log.observe(vf, virtualKind, vfOf('0000:3b:00.0'));
    expect(await rowsOf(views.functions({}, '', 10))).toMatchObject([
      { ...before, revision: 2, role: 'pf', vfModel: '1af4:154c', serialNumber: '0x0200002000000007' },
      { key: vf, revision: 2, role: 'vf', pf: '0000:3b:00.0', model: '1af4:154c' },
    ]);
  });

  it('asked many times at once takes every event in once', async () => {
    const log = new TestLog();
    const views = await Views.open(log.store, inMemory, silent);
    await log.observe(functionKey(), { ...kind, serial: 7 });
    await log.observe(functionKey('0000:3b:00.0', 'host-b'), { ...kind, serial: 7 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => rowsOf(views.clashes({}, 0, 10))));
    expect(answers.map((rows) => rows.length)).toEqual(new Array(20).fill(1));
  });

  it('tells the revision of a device whose PASIDs changed', async () => {
    const log = new TestLog();
    const views = await Views.open(log.store, inMemory, silent);
    await log.observe(functionKey(), kind);
    await log.attach(deviceKey(), functionKey());
    await log.append([deviceStream(deviceKey()), [{ type: 'PasidsDetached', schema: 1, cause: 'reset', count: 0 }]]);
    expect(await rowsOf(views.devices({}, '', 10))).toMatchObject([{ state: 'attached', revision: 2 }]);
  });

  it('of functions knows a VF by what its PF says, whichever is seen first', async () => {
    const log = new TestLog();
    const views = await Views.open(log.store, inMemory, silent);
    const [pf, early, late] = [functionKey('0000:3b:00.0'), functionKey('0000:3b:00.1'), functionKey('0000:3b:00.2')];
    const models = async (): Promise<readonly Model[]> =>
      (await rowsOf(views.functions({}, '', 10))).map((row) => row.model);
    await log.observe(early, virtualKind, vfOf('0000:3b:00.0'));
    expect(await models()).toEqual(['ffff:ffff']);
    await log.observe(pf, { ...kind, vfDeviceId: 0x154c }, { role: 'pf', pf: null });
    await log.observe(late, virtualKind, vfOf('0000:3b:00.0'));
    expect(await models()).toEqual(['1af4:1041', '1af4:154c', '1af4:154c']);
    await log.observe(pf, { ...kind, vfDeviceId: 0x154d }, { role: 'pf', pf: null });
    expect(await models()).toEqual(['1af4:1041', '1af4:154d', '1af4:154d']);
  });
});

describe('views in a file', () => {
  async function begun(): Promise<{ log: TestLog; file: string; digest: string }> {
    const log = new TestLog();
    const file = fileOf();
    await log.observe(functionKey(), kind);
    const views = await Views.open(log.store, file, silent);
    await views.follow();
    const { digest } = views.state();
    await views.close();
    return { log, file, digest };
  }

  it('go on where they were', async () => {
    const { log, file, digest } = await begun();
    const said: string[] = [];
    const views = await Views.open(log.store, file, (line) => said.push(line));
    expect(views.state()).toMatchObject({ digest, positions: [1, 1, 1, 1, 1] });
    expect(said).toEqual([]);
    await views.close();
  });

  it.each<readonly [string, (file: string) => unknown, RegExp]>([
    ['of another version', (file) => new DatabaseSync(file).exec(`PRAGMA user_version = ${viewsVersion + 1}`),
      /version \d+ is there, \d+ is needed/],
    ['that are another program\'s', (file) => new DatabaseSync(file).exec('PRAGMA application_id = 7'),
      /not one of ours/],
    ['one of which had halted', (file) => new DatabaseSync(file).exec(
      'UPDATE checkpoint SET position = 0 WHERE view = \'clashes\''), /had halted/],
    ['of another ledger', (file) => new DatabaseSync(file).exec('UPDATE checkpoint SET sha256 = \'0\''),
      /another ledger/],
    ['that are further than the log', (file) => new DatabaseSync(file).exec('UPDATE checkpoint SET position = 99'),
      /later state/],
  ])('%s are built anew, and it is said', async (_, meddle, why) => {
    const { log, file, digest } = await begun();
    meddle(file);
    const said: string[] = [];
    const views = await Views.open(log.store, file, (line) => said.push(line));
    expect(said).toEqual([expect.stringMatching(why)]);
    await views.follow();
    expect(views.state().digest).toBe(digest);
    await views.close();
  });

  it('are built anew where the file is no database at all', async () => {
    const { log, file, digest } = await begun();
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, 'not a database, and quite long enough to be looked at as one'.repeat(100));
    const views = await Views.open(log.store, file, silent);
    await views.follow();
    expect(views.state().digest).toBe(digest);
    await views.close();
  });
});

describe('an event that cannot be taken in', () => {
  it('halts its view and those that read it, in front of it; the others go on', async () => {
    const log = new TestLog();
    const views = await Views.open(log.store, inMemory, silent);
    await log.observe(functionKey(), kind);
    await log.attach(deviceKey(), functionKey());
    // A device that was never attached: a projection throws.
    await log.append(['device-vm-1/ghost', [
      { type: 'DeviceDetached', schema: 1, function: functionKey(), reason: null },
    ]]);
    await log.observe(functionKey('0000:3c:00.0'), kind);
    expect(await rowsOf(views.functions({}, '', 10))).toHaveLength(2);
    const halt = { view: 'devices', position: 5, reason: 'device-vm-1/ghost was never attached' };
    expect(await views.devices({}, '', 10)).toEqual({ kind: 'halted', halt });
    expect(views.halted()).toEqual([
      halt, { view: 'clashes', position: 5, reason: 'it reads the view of devices, which halted' },
    ]);
    expect(views.state().positions).toEqual([7, 4, 7, 4, 7]);
  });

  it.each([['another event is', 0], ['there is none', 9]])(
    'of host facts halts all of them where %s instead of the bytes', async (_what, configSpaceRevision) => {
      const log = new TestLog();
      const views = await Views.open(log.store, inMemory, silent);
      await log.observe(functionKey(), kind);
      const sriov = { role: 'none', pf: null } as const;
      const { kernel, firmware, iommu, configSpaceDigest } = observationOf(kind, sriov);
      await log.append([functionStream(functionKey()), [{
        type: 'HostFactsObserved', schema: 1, holder: null, dangers: [], configSpaceDigest, configSpaceRevision, kernel,
        firmware, iommu, sriov,
      }]]);
      await views.follow();
      const reason = `revision ${configSpaceRevision} does not hold the bytes it was told over`;
      expect(views.halted()).toEqual(viewNames.map((view) => ({ view, position: 2, reason })));
    });

  it('of a type this version does not know halts all of them', async () => {
    const log = new TestLog();
    const views = await Views.open(log.store, inMemory, silent);
    await log.observe(functionKey(), kind);
    const unknown = { type: 'FunctionPolished', schema: 1 } as never;
    await log.append([functionStream(functionKey()), [unknown]]);
    await views.follow();
    expect(views.halted().map(({ view, position }) => [view, position])).toEqual([
      ['functions', 2], ['devices', 2], ['migrations', 2], ['clashes', 2], ['evidence', 2],
    ]);
  });
});

describe('a transaction', () => {
  it('that fails leaves rows and checkpoints as they were, and is tried again by whoever asks next', async () => {
    const log = new TestLog();
    const file = fileOf();
    const views = await Views.open(log.store, file, silent);
    await log.observe(functionKey(), kind);
    await views.follow();
    const { digest } = views.state();
    const meddler = new DatabaseSync(file);
    meddler.exec(`CREATE TRIGGER fail BEFORE INSERT ON checkpoint BEGIN SELECT RAISE(ABORT, 'disk gone'); END`);
    await log.observe(functionKey('0000:3c:00.0'), kind);
    await expect(views.follow()).rejects.toThrow('disk gone');
    expect(views.state().digest).toBe(digest);
    meddler.exec('DROP TRIGGER fail');
    meddler.close();
    expect(await rowsOf(views.functions({}, '', 10))).toHaveLength(2);
    expect(views.halted()).toEqual([]);
    await views.close();
  });

  it('leaves the thread to others before the next one begins', async () => {
    const log = new TestLog();
    for (let index = 0; index < 2 * eventsPerTransaction; index += 1) await log.observe(functionKey(), kind);
    const views = await Views.open(log.store, inMemory, silent);
    const seen: (number | null)[] = [];
    let wait: NodeJS.Immediate | undefined;
    const look = (): void => {
      seen.push(views.state().positions[0] ?? null);
      wait = setImmediate(look);
    };
    wait = setImmediate(look);
    await views.follow();
    clearImmediate(wait);
    expect(seen.slice(0, 2)).toEqual([eventsPerTransaction - 1, 2 * eventsPerTransaction - 1]);
    await views.close();
  });

  it('holds a bounded piece of the log', async () => {
    const log = new TestLog(new MemoryEventStore());
    for (let index = 0; index <= eventsPerTransaction; index += 1) await log.observe(functionKey(), kind);
    const views = await Views.open(log.store, inMemory, silent);
    const told: (readonly [number, number])[] = [];
    await views.follow((done, total) => told.push([done, total]));
    const total = eventsPerTransaction + 2;
    expect(told).toEqual([[eventsPerTransaction, total], [total, total]]);
  });
});
