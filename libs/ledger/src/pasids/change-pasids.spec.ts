import { Pasid } from '@cadastre/config-space';
import { buildConfigSpace, u16 } from '@cadastre/config-space/testing';
import { MemoryEventStore } from '@cadastre/event-store';
import { replay } from '../replay.js';
import { deviceKey, endpoint, functionKey, TestLedger } from '../testing.js';
import { type PasidChange } from './change-pasids.js';

const pf = functionKey('0000:3b:00.0');
const vfs = Array.from({ length: 7 }, (_, index) => functionKey(`0000:3b:00.${index + 1}`));
const enable: PasidChange = {
  kind: 'enable-pasid', request: { widthBits: null, exec: null, priv: null },
  platform: { viommuSsidBits: 20, ports: [{ address: pf.address, endEndTlpPrefix: true }] },
};

function attach(given: number, ptId = 3): PasidChange {
  const pasid = Pasid.from(given);
  if (!pasid.ok) throw new Error(`${given} is no PASID`);
  return {
    kind: 'attach-pasid', pasid: pasid.value, requested: { kind: 'ioas', ptId },
    answer: { kind: 'done', resultingPtId: 9, hwptFlags: ['pasid'], faultId: null },
  };
}

async function family(store: MemoryEventStore): Promise<TestLedger> {
  const ledger = await TestLedger.open(store);
  await ledger.observe('pf', pf, endpoint(), { role: 'pf', pf: null });
  for (const vf of vfs) {
    await ledger.observe(`look ${vf.address}`, vf, endpoint(), { role: 'vf', pf: pf.address });
    await ledger.attach(`attach ${vf.address}`, deviceKey(vf.address.replaceAll(':', '-')), vf);
  }
  return ledger;
}

const users = async (ledger: TestLedger): Promise<number> => {
  const { state } = await ledger.reader.function(pf);
  return state.kind === 'registered' ? state.users.pasid.length : -1;
};

describe('the users of a physical function', () => {
  it('are counted right when all of the family come and go at once, from two ledgers over one store', async () => {
    const store = new MemoryEventStore();
    const one = await family(store);
    const two = await TestLedger.open(store);
    const keys = vfs.map(({ address }) => deviceKey(address.replaceAll(':', '-')));
    const come = await Promise.all(keys.map((key, index) =>
      (index % 2 ? one : two).pasids(`come ${key.vm}`, enable, key)));
    expect(come.map(({ kind }) => kind)).toEqual(keys.map(() => 'recorded'));
    expect(await users(one)).toBe(7);
    const leave = await Promise.all(keys.slice(0, 5).map((key, index) => (index % 2
      ? one.pasids(`leave ${key.vm}`, { kind: 'disable-pasid' }, key) : two.detach(`leave ${key.vm}`, key))));
    expect(leave.map(({ kind }) => kind)).toEqual(new Array(5).fill('recorded'));
    expect([await users(one), await users(two)]).toEqual([2, 2]);
    expect((await replay(store)).functions).toBe(8);
    const types = await one.types();
    expect(types.filter((type) => type === 'SharedCapabilityUsed')).toHaveLength(7);
    expect(types.filter((type) => type === 'SharedCapabilityFreed')).toHaveLength(5);
  });
});

describe('PASID of a VF', () => {
  it('is judged by the quirks of the model its PF tells it is', async () => {
    const ledger = await TestLedger.open();
    const sriov = { id: 0x10, offset: 0x100, body: [...new Array<number>(0x16).fill(0), ...u16(0xa251)] };
    const hisilicon = buildConfigSpace({ vendorId: 0x19e5, deviceId: 0xa250, revision: 0x21, extended: [sriov] });
    const own = buildConfigSpace({ vendorId: 0xffff, deviceId: 0xffff, revision: 0x21,
      standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }], extended: [{ id: 0x01, offset: 0x100 }] });
    const vf = functionKey('0000:3b:00.1');
    await ledger.observe('vf', vf, own, { role: 'vf', pf: pf.address });
    await ledger.attach('attach', deviceKey(), vf);
    const nowhere = { ...enable, platform: { viommuSsidBits: 20, ports: [] } };
    await ledger.observe('pf', pf, endpoint(), { role: 'pf', pf: null });
    expect(await ledger.pasids('a stranger', nowhere)).toMatchObject({ refusal: { kind: 'pasid-unusable' } });
    await ledger.observe('its pf', pf, hisilicon, { role: 'pf', pf: null });
    expect(await ledger.pasids('its own', nowhere)).toMatchObject({ kind: 'recorded', state: {
      checks: expect.arrayContaining([{ check: 'tlp-prefix-on-path', ok: true, because: 'quirk-needs-none',
        quirk: 'hisilicon-pasid-without-prefix-21' }]) as unknown } });
  });
});

describe('a change of PASIDs', () => {
  it('is answered again from its own event, however many followed', async () => {
    const ledger = await family(new MemoryEventStore());
    const key = deviceKey('0000-3b-00.1');
    await ledger.pasids('e', enable, key);
    const first = await ledger.pasids('p1', attach(1), key);
    for (let pasid = 2; pasid <= 50; pasid += 1) await ledger.pasids(`p${pasid}`, attach(pasid), key);
    expect(await ledger.pasids('p1', attach(1), key)).toEqual({ ...first, replayed: true });
    expect(first).toMatchObject({ kind: 'recorded', replayed: false, revision: 3, state: { type: 'PasidAttached' } });
  });

  it('under one key, sent many times at once, happens once', async () => {
    const ledger = await family(new MemoryEventStore());
    const key = deviceKey('0000-3b-00.1');
    await ledger.pasids('e', enable, key);
    const before = (await ledger.types()).length;
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => ledger.pasids('p', attach(1), key)));
    const done = outcomes.filter(({ kind }) => kind === 'recorded');
    expect(done.length).toBeGreaterThan(0);
    expect((await ledger.types()).length).toBe(before + 1);
  });
});
