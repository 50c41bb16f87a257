import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { checkViews } from './check-views.js';
import { rebuildViews } from './rebuild-views.js';
import { deviceKey, functionKey, scratchFiles, TestLog } from './testing.js';
import { Views } from './views.js';

const silent = (): void => undefined;
const fileOf = scratchFiles();

describe('views that are built anew', () => {
  /** Views in a file, a function of which is not what its events give. */
  async function begun(): Promise<{ log: TestLog; file: string; digest: string }> {
    const log = new TestLog();
    const file = fileOf();
    await log.observe(functionKey(), { deviceId: 0x1041 });
    const views = await Views.open(log.store, file, silent);
    await views.follow();
    await views.close();
    const db = new DatabaseSync(file);
    db.exec('UPDATE function SET vendor_id = 7');
    db.close();
    const { found: { digest } } = await checkViews(log.store, file, silent);
    return { log, file, digest };
  }

  it('take the place of those that were there', async () => {
    const { log, file, digest } = await begun();
    const { state, halted } = await rebuildViews(log.store, file, silent);
    expect([state.positions, halted]).toEqual([[1, 1, 1, 1, 1], []]);
    expect(state.digest).not.toBe(digest);
    expect(await checkViews(log.store, file, silent)).toEqual({ found: state, rebuilt: state });
    expect(unborn(file)).toEqual([]);
  });

  it('are made where there were none', async () => {
    const { log } = await begun();
    const file = fileOf();
    const { state } = await rebuildViews(log.store, file, silent);
    expect((await checkViews(log.store, file, silent)).found).toEqual(state);
  });

  it('leave those that were there when the log cannot be read', async () => {
    const { log, file, digest } = await begun();
    const failing = Object.assign(Object.create(log.store) as typeof log.store, {
      readAll: () => Promise.reject(new Error('damaged')),
    });
    await expect(rebuildViews(failing, file, silent)).rejects.toThrow('damaged');
    expect((await checkViews(log.store, file, silent)).found.digest).toBe(digest);
    expect(unborn(file)).toEqual([]);
  });

  it('leave those that were there when one cannot take in an event', async () => {
    const { log, file, digest } = await begun();
    await log.append(['device-vm-1/ghost', [
      { type: 'DeviceDetached', schema: 1, function: functionKey(), reason: null },
    ]]);
    const { halted } = await rebuildViews(log.store, file, silent);
    expect(halted.map(({ view }) => view)).toEqual(['devices', 'clashes']);
    expect((await checkViews(log.store, file, silent)).found.digest).toBe(digest);
    expect(unborn(file)).toEqual([]);
  });

  it('leave those that were there when they are not written to the end', async () => {
    const { log, file, digest } = await begun();
    await log.attach(deviceKey(), functionKey());
    // Whoever reads the new file keeps SQLite from moving all of it there.
    let reader: DatabaseSync | undefined;
    await expect(rebuildViews(log.store, file, () => {
      reader = new DatabaseSync(`${file}.new`);
      reader.exec('BEGIN; SELECT * FROM function');
    })).rejects.toThrow('not whole');
    reader?.close();
    expect((await checkViews(log.store, file, silent)).found.digest).toBe(digest);
  });
});

/** What is left of a new file. */
function unborn(file: string): readonly string[] {
  return readdirSync(dirname(file)).filter((name) => name.includes('new'));
}
