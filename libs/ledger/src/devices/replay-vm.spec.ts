import { type EventStore, MemoryEventStore, Position } from '@cadastre/event-store';
import { VmId } from '@cadastre/lifecycle';
import { inMemory, Views } from '@cadastre/views';
import { deviceKey, functionKey, TestLedger } from '../testing.js';
import { ReplayVm, ReplayVmHandler } from './replay-vm.js';

const addresses = ['0000:01:00.0', '0000:02:00.0', '0000:03:00.0'];
const named = VmId.from('vm-1');
const vm = named.ok ? named.value : undefined;

/** Devices c, b and a of one VM, attached in this order; the first detached again; and another VM's. */
async function history(): Promise<MemoryEventStore> {
  const store = new MemoryEventStore();
  const ledger = await TestLedger.open(store);
  for (const [index, address] of addresses.entries()) {
    await ledger.observe(`o${index}`, functionKey(address));
    await ledger.attach(`a${index}`, deviceKey('vm-1', 'cba'[index]), functionKey(address));
  }
  await ledger.detach('d', deviceKey('vm-1', 'c'));
  await ledger.attach('other', deviceKey('vm-2', 'z'), functionKey(addresses[0]));
  return store;
}

async function replayed(store: EventStore, after = '', limit = 10, at: number | null = null, of = vm) {
  if (of === undefined) throw new Error('vm-1 is a name');
  const handler = new ReplayVmHandler(store, await Views.open(store, inMemory, () => undefined));
  return handler.execute(new ReplayVm(of, after, limit, at === null ? null : Position.from(at)));
}

describe('the replay of one VM', () => {
  it('rebuilds what was recorded of each of its devices, and of no other', async () => {
    const outcome = await replayed(await history());
    if (outcome.kind !== 'found') throw new Error(outcome.kind);
    expect(outcome.devices.map(({ key, state }) => `${key.vm} ${key.device} ${state}`)).toEqual([
      'vm-1 a attached', 'vm-1 b attached', 'vm-1 c detached',
    ]);
    for (const { recorded, rebuilt } of outcome.devices) expect(rebuilt).toEqual(recorded);
    expect(outcome.devices[0]?.recorded.guestConfigSpaceDigest).toMatch(/^sha256:/);
  });

  it('comes in pages that leave nothing out', async () => {
    const store = await history();
    expect(await replayed(store, '', 2)).toMatchObject({
      devices: [{ key: { device: 'a' } }, { key: { device: 'b' } }], more: true,
    });
    expect(await replayed(store, 'b', 2)).toMatchObject({ devices: [{ key: { device: 'c' } }], more: false });
  });

  it('as of a position knows the devices of then, as they were', async () => {
    expect(await replayed(await history(), '', 10, 4)).toMatchObject({
      kind: 'found', devices: [{ key: { device: 'c' }, state: 'attached', revision: 1 }], more: false,
    });
  });

  it('refuses a VM that never had a device, and one that had none yet', async () => {
    const store = await history();
    const other = VmId.from('vm-9');
    expect(await replayed(store, '', 10, null, other.ok ? other.value : undefined)).toEqual({
      kind: 'refused', refusal: { kind: 'vm-unknown', vm: 'vm-9' },
    });
    expect(await replayed(store, '', 10, 1)).toEqual({
      kind: 'refused', refusal: { kind: 'not-yet', stream: 'device-vm-1/c', at: 1, since: 2 },
    });
  });

  it('says of which device the record does not give what was recorded, and goes on', async () => {
    const store = await history();
    const readStream = store.readStream.bind(store);
    store.readStream = async (...asked) => {
      const page = await readStream(...asked);
      const events = page.events.map((event) => (event.stream !== 'device-vm-1/a' ? event
        : { ...event, data: event.data.replace('"mask":', '"mask":1') }));
      return { ...page, events };
    };
    const outcome = await replayed(store);
    if (outcome.kind !== 'found') throw new Error(outcome.kind);
    expect(outcome.devices.map(({ rebuilt }) => rebuilt === null)).toEqual([true, false, false]);
    expect(outcome.devices[0]?.problem).toMatch(/recorded/);
  });
});
