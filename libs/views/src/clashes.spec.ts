import { functionStream } from '@cadastre/lifecycle';
import { type Clash, clashStreamsMax } from './clash.js';
import { type ClashFilter } from './list-query.js';
import { deviceKey, endpoint, functionKey, migrationId, TestLog, vfOf } from './testing.js';
import { inMemory } from './view-file.js';
import { Views } from './views.js';

const pf = '0000:3b:00.0';
const vf = '0000:3b:00.1';
const card = { deviceId: 0x1041 };

async function clashesIn(log: TestLog, filter: ClashFilter = {}): Promise<readonly Clash[]> {
  const views = await Views.open(log.store, inMemory, () => undefined);
  const listed = await views.clashes(filter, 0, 100);
  if (listed.kind === 'halted') throw new Error(listed.halt.reason);
  return listed.rows;
}

describe('the list of clashes', () => {
  it('is empty after an ordinary life', async () => {
    const log = new TestLog();
    await log.observe(functionKey(pf), { ...card, serial: 1, vfDeviceId: 0x154c }, { role: 'pf', pf: null });
    await log.observe(functionKey(vf), card, vfOf(pf));
    await log.attach(deviceKey(), functionKey(vf));
    await log.observe(functionKey(vf), card, vfOf(pf));
    await log.detach(deviceKey());
    await log.observe(functionKey(vf), { deviceId: 0x1042 }, vfOf(pf));
    await log.observe(functionKey('0000:3b:00.2'), { ...card, serial: 1 });
    expect(await clashesIn(log)).toEqual([]);
  });

  it('tells of another function at an address that a device holds', async () => {
    const log = new TestLog();
    await log.observe(functionKey(), card);
    await log.attach(deviceKey(), functionKey());
    await log.observe(functionKey(), { deviceId: 0x1042 });
    expect(await clashesIn(log)).toEqual([{
      id: 1, kind: 'identity-changed-while-claimed', position: 5, recordedAt: '2026-11-25T00:00:00.006Z',
      streams: ['function-host-a/0000:3b:00.0', 'device-vm-1/gpu0'],
      detail: { was: '1af4:1041', is: '1af4:1042' },
    }, expect.objectContaining({ id: 2, kind: 'layout-endangered', position: 5 })]);
  });

  it('tells of capability lists that changed under a running layout', async () => {
    const log = new TestLog();
    await log.observe(functionKey(), card);
    await log.attach(deviceKey(), functionKey());
    await log.observe(functionKey(), { ...card, msix: true });
    const [clash] = await clashesIn(log);
    expect(clash?.kind).toBe('structure-changed-under-layout');
    expect(clash?.detail['layoutDigest']).toMatch(/^sha256:/);
  });

  it('tells of a guest that has no more what it was promised, though no list changed', async () => {
    const log = new TestLog();
    await log.observe(functionKey(), card);
    await log.attach(deviceKey(), functionKey());
    const place = (await log.placeOf(deviceKey(), 'pasid')) ?? 0;
    await log.observe(functionKey(), { ...card, strayAt: place + 4 });
    await log.observe(functionKey(), { ...card, pasidBits: 0 });
    const streams = ['function-host-a/0000:3b:00.0', 'device-vm-1/gpu0'];
    const clashes = await clashesIn(log);
    const layoutDigest = expect.stringMatching(/^sha256:/) as unknown;
    expect(clashes).toMatchObject([
      { kind: 'layout-endangered', position: 5, streams, detail: { layoutDigest } },
      { kind: 'layout-endangered', position: 6, streams },
    ]);
    expect(clashes.map(({ detail }) => detail['dangers'])).toEqual([
      'pasid at 0x134 would lie over unknown-non-zero at 0x138',
      'PASID at 0x134: maxPasidWidth of the IOMMU is 16, there 0',
    ]);
    expect(await clashesIn(log, { vm: 'vm-1', kind: 'layout-endangered' })).toHaveLength(2);
  });

  it('tells of what host facts alone say of a guest, and of a family, though no byte changed', async () => {
    const log = new TestLog();
    await log.observe(functionKey(pf), { ...card, serial: 1 }, { role: 'pf', pf: null });
    await log.observe(functionKey(vf), { ...card, serial: 1 });
    await log.attach(deviceKey(), functionKey(vf));
    await log.observe(functionKey(vf), { ...card, serial: 1, pasidBits: 0 });
    await log.observe(functionKey(vf), { ...card, serial: 1, pasidBits: 0 }, vfOf(pf));
    await log.observe(functionKey(pf), { ...card, serial: 1 });
    expect((await log.events()).map(({ event: { type } }) => type).slice(-3))
      .toEqual(['HostFactsObserved', 'HostFactsObserved', 'HostFactsObserved']);
    expect(await clashesIn(log)).toMatchObject([
      { kind: 'layout-endangered', position: 7, streams: [functionStream(functionKey(vf)), 'device-vm-1/gpu0'],
        detail: { dangers: 'PASID at 0x134: maxPasidWidth of the IOMMU is 16, there 0' } },
      { kind: 'stated-pf-is-no-pf', position: 9, streams: [functionStream(functionKey(pf)),
        functionStream(functionKey(vf))] },
    ]);
  });

  it('tells once of the same danger, and again after it was mended', async () => {
    const log = new TestLog();
    await log.observe(functionKey(), card);
    await log.attach(deviceKey(), functionKey());
    const strayAt = (await log.placeOf(deviceKey(), 'pasid')) ?? 0;
    const looks = [{ strayAt }, { strayAt, serial: 7 }, {}, { strayAt }];
    for (const look of looks) await log.observe(functionKey(), { ...card, ...look });
    const told = await clashesIn(log, { kind: 'layout-endangered' });
    expect(told.map(({ position }) => position)).toEqual([5, 8]);
  });

  it('tells nothing of a function that is only kept for a move', async () => {
    const log = new TestLog();
    const target = functionKey('0000:3c:00.0');
    await log.observe(functionKey(), card);
    await log.observe(target, card);
    await log.attach(deviceKey(), functionKey());
    await log.keep(target, deviceKey(), migrationId());
    await log.observe(target, { ...card, msix: true });
    await log.observe(target, { deviceId: 0x1042 });
    expect(await clashesIn(log)).toEqual([]);
  });

  it('tells of a guest that sees another layout than was decided', async () => {
    const log = new TestLog();
    await log.observe(functionKey(), card);
    await log.attach(deviceKey(), functionKey());
    await log.observeGuest(deviceKey(), endpoint(card));
    expect(await clashesIn(log)).toMatchObject([{
      kind: 'guest-sees-another-layout', position: 5,
      streams: ['device-vm-1/gpu0', 'function-host-a/0000:3b:00.0'],
      detail: { comparedWith: 'layout', missing: 'pasid' },
    }]);
  });

  it('tells of a physical function that is none, whichever of the two is seen first', async () => {
    const first = new TestLog();
    await first.observe(functionKey(pf), card);
    await first.observe(functionKey(vf), card, vfOf(pf));
    const last = new TestLog();
    await last.observe(functionKey(vf), card, vfOf(pf));
    await last.observe(functionKey(pf), card);
    const detail = { pf: `function-host-a/${pf}`, role: 'none' };
    expect(await clashesIn(first)).toMatchObject([{ kind: 'stated-pf-is-no-pf', position: 3, detail }]);
    expect(await clashesIn(last)).toMatchObject([{ kind: 'stated-pf-is-no-pf', position: 3, detail }]);
  });

  it('tells of a VF that names itself', async () => {
    const log = new TestLog();
    await log.observe(functionKey(vf), card, vfOf(vf));
    expect(await clashesIn(log)).toMatchObject([{ kind: 'stated-pf-is-no-pf', position: 1 }]);
  });

  it('tells of a VF that was attached before its physical function was known', async () => {
    const log = new TestLog();
    await log.observe(functionKey(vf), card, vfOf(pf));
    await log.attach(deviceKey(), functionKey(vf));
    expect(await clashesIn(log)).toMatchObject([{
      kind: 'stated-pf-is-unregistered', position: 2, streams: ['device-vm-1/gpu0', `function-host-a/${vf}`],
    }]);
  });

  it('tells of a VF to which a device was moved or brought before its physical function was known', async () => {
    const log = new TestLog();
    const orphans = [functionKey(vf), functionKey('0000:3b:00.2')] as const;
    for (const key of orphans) await log.observe(key, card, vfOf(pf));
    await log.observe(functionKey('0000:3c:00.0'), card);
    await log.attach(deviceKey(), functionKey('0000:3c:00.0'));
    await log.move(deviceKey(), orphans[0]);
    await log.bring(deviceKey('vm-2'), deviceKey(), orphans[1]);
    await log.bring(deviceKey('vm-3'), deviceKey(), null);
    const at = (await log.events()).map(({ event: { type } }) => type);
    expect(await clashesIn(log)).toMatchObject([
      { position: at.indexOf('DeviceMoved'), streams: ['device-vm-1/gpu0', functionStream(orphans[0])] },
      { position: at.indexOf('LayoutImported'), streams: ['device-vm-2/gpu0', functionStream(orphans[1])] },
    ].map((clash) => ({ kind: 'stated-pf-is-unregistered', detail: { pf: `function-host-a/${pf}` }, ...clash })));
  });

  it('tells once of one serial number at two hosts, and names a bounded number of streams', async () => {
    const log = new TestLog();
    for (let index = 0; index < clashStreamsMax + 4; index += 1) {
      await log.observe(functionKey(pf, `host-${index}`), { ...card, serial: 9 });
    }
    await log.observe(functionKey(pf, 'host-1'), { ...card, serial: 9, msix: true });
    const clashes = await clashesIn(log);
    expect(clashes.map(({ kind }) => kind)).toEqual(new Array(clashStreamsMax + 3).fill('serial-number-on-two-hosts'));
    expect(clashes[0]).toMatchObject({ detail: { serialNumber: '0x0200002000000009' } });
    expect(clashes.at(-1)?.streams).toHaveLength(clashStreamsMax);
  });

  it('tells of a card that moved when it comes back while it is in service elsewhere', async () => {
    const log = new TestLog();
    const [here, there] = [functionKey(pf, 'host-a'), functionKey(pf, 'host-b')];
    await log.observe(here, { ...card, serial: 9 });
    await log.retire(here);
    await log.observe(there, { ...card, serial: 9 });
    expect(await clashesIn(log)).toEqual([]);
    await log.observe(here, { ...card, serial: 9 });
    expect(await clashesIn(log)).toMatchObject([{ streams: [functionStream(here), functionStream(there)] }]);
  });

  it('is narrowed by kind, host and VM, and paged by number', async () => {
    const log = new TestLog();
    for (const host of ['host-a', 'host-b']) {
      await log.observe(functionKey(vf, host), { ...card, serial: 9 }, vfOf(pf));
      await log.attach(deviceKey(`vm-${host}`), functionKey(vf, host));
    }
    const kindsIn = async (filter: ClashFilter): Promise<readonly string[]> =>
      (await clashesIn(log, filter)).map((one) => one.kind);
    const [unregistered, twice] = ['stated-pf-is-unregistered', 'serial-number-on-two-hosts'] as const;
    expect(await kindsIn({})).toEqual([unregistered, twice, unregistered]);
    expect(await kindsIn({ kind: twice })).toEqual([twice]);
    expect(await kindsIn({ host: 'host-a' })).toEqual([unregistered, twice]);
    expect(await kindsIn({ vm: 'vm-host-b' })).toEqual([unregistered]);
    expect(await kindsIn({ vm: 'vm-host-b', kind: twice })).toEqual([]);
    expect(await kindsIn({ host: 'host' })).toEqual([]);
    const views = await Views.open(log.store, inMemory, () => undefined);
    expect(await views.clashes({}, 1, 1)).toMatchObject({ rows: [{ id: 2, kind: twice }], more: true });
  });
});
