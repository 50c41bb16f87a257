import { MemoryEventStore } from '@cadastre/event-store';
import { replay } from './replay.js';
import { deviceKey, endpoint, functionKey, TestLedger } from './testing.js';

async function history(store = new MemoryEventStore()): Promise<MemoryEventStore> {
  const ledger = await TestLedger.open(store);
  for (const [index, address] of ['0000:01:00.0', '0000:02:00.0', '0000:03:00.0'].entries()) {
    await ledger.observe(`o${index}`, functionKey(address), endpoint(index));
    await ledger.attach(`a${index}`, deviceKey(`vm-${index}`), functionKey(address));
  }
  await ledger.detach('d', deviceKey('vm-1'));
  await ledger.observe('later', functionKey('0000:03:00.0'), endpoint(99));
  return store;
}

/** A VF whose guest uses PASID of its physical function. */
async function sharing(): Promise<MemoryEventStore> {
  const store = new MemoryEventStore();
  const ledger = await TestLedger.open(store);
  const [pf, vf] = [functionKey('0000:01:00.0'), functionKey('0000:01:00.1')];
  await ledger.observe('pf', pf, endpoint(), { role: 'pf', pf: null });
  await ledger.observe('vf', vf, endpoint(), { role: 'vf', pf: pf.address });
  await ledger.attach('a', deviceKey(), vf);
  await ledger.pasids('e', {
    kind: 'enable-pasid', request: { widthBits: null, exec: null, priv: null },
    platform: { viommuSsidBits: 20, ports: [{ address: pf.address, endEndTlpPrefix: true }] },
  });
  await ledger.observe('another', functionKey('0000:02:00.0'));
  return store;
}

describe('replay', () => {
  it('rebuilds every device from events alone and gives the same digests every time', async () => {
    const store = await history();
    const first = await replay(store);
    expect(first).toMatchObject({ events: 18, functions: 3 });
    expect(first.devices.map(({ stream, state }) => `${stream} ${state}`)).toEqual([
      'device-vm-0/gpu0 attached', 'device-vm-1/gpu0 detached', 'device-vm-2/gpu0 attached',
    ]);
    expect(first.devices[1]?.guestConfigSpaceDigest).toBeNull();
    expect(await replay(store)).toEqual(first);
  });

  it('gives equal digests for equal histories and other ones for others', async () => {
    const one = await replay(await history());
    const same = await replay(await history());
    const store = await history();
    await (await TestLedger.open(store)).observe('more', functionKey('0000:04:00.0'));
    const other = await replay(store);
    expect(same).toEqual(one);
    expect(other.ledgerDigest).not.toBe(one.ledgerDigest);
    expect(other.devices).toEqual(one.devices);
  });

  it('keeps a layout on the observation it was decided over, whatever was observed later', async () => {
    const store = new MemoryEventStore();
    const ledger = await TestLedger.open(store);
    await ledger.observe('o');
    await ledger.attach('a');
    const [before] = (await replay(store)).devices;
    await ledger.observe('changed', functionKey(), endpoint(2));
    expect((await replay(store)).devices).toEqual([before]);
  });

  it('rebuilds a layout that was decided over host facts from the bytes those were told over', async () => {
    const store = new MemoryEventStore();
    const ledger = await TestLedger.open(store);
    await ledger.observe('o');
    await ledger.observe('kernel', functionKey(), endpoint(), { role: 'none', pf: null }, '7.3.1');
    await ledger.attach('a');
    const attached = await ledger.reader.device(deviceKey());
    const [rebuilt] = (await replay(store)).devices;
    expect(attached.state).toMatchObject({ layout: {
      observation: { revision: 2 }, guestConfigSpaceDigest: rebuilt?.guestConfigSpaceDigest } });
  });

  it('names host facts that were told over other bytes than the newest', async () => {
    const store = new MemoryEventStore();
    const ledger = await TestLedger.open(store);
    await ledger.observe('o1');
    await ledger.observe('o2', functionKey(), endpoint(2));
    await ledger.observe('kernel', functionKey(), endpoint(2), { role: 'none', pf: null }, '7.3.1');
    expect(await replay(store)).toMatchObject({ events: 4 });
    const older = new Proxy(store, {
      get: (target, name) => (name !== 'readAll' ? Reflect.get(target, name) as unknown
        : async (...asked: Parameters<typeof store.readAll>) => {
          const page = await target.readAll(...asked);
          return { ...page, events: page.events.map((event) => (event.type !== 'HostFactsObserved' ? event
            : { ...event, data: event.data.replace('"configSpaceRevision":2', '"configSpaceRevision":1') })) };
        }),
    });
    await expect(replay(older)).rejects.toThrow(/0000:3b:00.1: revision 3 was told over bytes .* of revision 1/);
  });

  it('names a stream in which a revision is missing', async () => {
    const store = await history();
    const cut = new Proxy(store, {
      get: (target, name) => (name !== 'readAll' ? Reflect.get(target, name) as unknown
        : async (...asked: Parameters<typeof store.readAll>) => {
          const page = await target.readAll(...asked);
          return { ...page, events: page.events.filter(({ position }) => position !== 1) };
        }),
    });
    await expect(replay(cut)).rejects.toThrow(
      'function-host-a/0000:01:00.0: revision 1 is missing: 2 follows instead');
  });

  it('names a device whose function somebody else holds', async () => {
    const store = await history();
    const stolen = new Proxy(store, {
      get: (target, name) => (name !== 'readAll' ? Reflect.get(target, name) as unknown
        : async (...asked: Parameters<typeof store.readAll>) => {
          const page = await target.readAll(...asked);
          const events = page.events.map((event) => (event.type !== 'FunctionClaimed' ? event
            : { ...event, data: event.data.replace('vm-0', 'vm-9') }));
          return { ...page, events };
        }),
    });
    await expect(replay(stolen)).rejects.toThrow(
      'device-vm-0/gpu0: it is attached to function-host-a/0000:01:00.0, which device-vm-9/gpu0 holds');
  });

  it('names a physical function that counts other users than there are', async () => {
    const store = await sharing();
    expect(await replay(store)).toMatchObject({ functions: 3 });
    const forgetful = new Proxy(store, {
      get: (target, name) => (name !== 'readAll' ? Reflect.get(target, name) as unknown
        : async (...asked: Parameters<typeof store.readAll>) => {
          const page = await target.readAll(...asked);
          return { ...page, events: page.events.filter(({ type }) => type !== 'SharedCapabilityUsed') };
        }),
    });
    await expect(replay(forgetful)).rejects.toThrow(
      'function-host-a/0000:01:00.0: its users of pasid and the devices disagree about device-vm-1/gpu0');
  });

  it('tells how far it is', async () => {
    const seen: (readonly [number, number])[] = [];
    await replay(await history(), { progress: (done, total) => seen.push([done, total]) });
    expect(seen.at(-1)).toEqual([18, 18]);
  });

  it('of an empty ledger has nothing to tell', async () => {
    expect(await replay(new MemoryEventStore())).toMatchObject({ events: 0, functions: 0, devices: [] });
  });
});
