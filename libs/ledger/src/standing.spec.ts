import { type ConfigSpace } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { Digest } from '@cadastre/device-layout';
import { type EventStore, MemoryEventStore } from '@cadastre/event-store';
import { type DeviceState, type FunctionKey, type ObservationReference, type SriovFacts } from '@cadastre/lifecycle';
import { inMemory, Views } from '@cadastre/views';
import { ExportVm, ExportVmHandler } from './bundles/export-vm.js';
import { ImportBundle, ImportBundleHandler } from './bundles/import-bundle.js';
import { ModelEvidence } from './functions/model-evidence.js';
import { type CommandOutcome } from './outcome.js';
import { Recorder } from './recorder.js';
import { replay } from './replay.js';
import { StreamReader } from './stream-reader.js';
import { deviceKey, endpoint, functionKey, interrupted, TestClock, TestLedger } from './testing.js';

const own = functionKey();
const pf = functionKey('0000:3b:00.0');
const asPf: SriovFacts = { role: 'pf', pf: null };
const asVf: SriovFacts = { role: 'vf', pf: pf.address };
const enable = {
  kind: 'enable-pasid', request: { widthBits: null, exec: null, priv: null },
  platform: { viommuSsidBits: 20, ports: [{ address: pf.address, endEndTlpPrefix: true }] },
} as const;

/** What a look at the PF finds after a firmware update. */
const updated = buildConfigSpace({
  deviceId: 7, standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }], extended: [{ id: 0x0001, offset: 0x100 }],
});

async function newestOf(store: EventStore, key: FunctionKey): Promise<number> {
  const { state } = await new StreamReader(store).function(key);
  if (state.kind !== 'registered' || !state.observation) throw new Error(`${key.address} was never observed`);
  return state.observation.revision;
}

function stoodOn(outcome: CommandOutcome<DeviceState>): readonly (ObservationReference | null)[] {
  if (outcome.kind === 'refused') throw new Error(JSON.stringify(outcome.refusal));
  if (outcome.state.kind !== 'attached' || !outcome.state.layout) throw new Error('no layout was decided');
  const { observation, physicalFunction } = outcome.state.layout;
  return [observation, physicalFunction];
}

/** A ledger of a VF with or without its PF, and one over the same store that is interrupted once. */
async function twoLedgers(
  isPfKnown: boolean, attached: boolean, meanwhile: (other: TestLedger) => Promise<CommandOutcome<unknown>>,
): Promise<{ readonly store: EventStore; readonly slow: TestLedger }> {
  const store = new MemoryEventStore();
  const other = await TestLedger.open(store);
  if (isPfKnown) await other.observe('pf', pf, endpoint(), asPf);
  await other.observe('vf', own, endpoint(), asVf);
  if (attached) await other.attach('a');
  const slow = await TestLedger.open(interrupted(store, async () => {
    const done = await meanwhile(other);
    if (done.kind === 'refused') throw new Error(JSON.stringify(done.refusal));
  }));
  return { store, slow };
}

describe('a layout stands on observations that are the newest when it is recorded', () => {
  it('of its function, which was observed while it was decided again', async () => {
    const { store, slow } = await twoLedgers(true, true, (other) => other.observe('new', own, updated, asVf));
    expect(stoodOn(await slow.layout('l'))).toMatchObject([{ revision: await newestOf(store, own) }, {}]);
    expect(await newestOf(store, own)).toBe(3);
  });

  it('of its PF, which was observed while it was decided again', async () => {
    const { store, slow } = await twoLedgers(true, true, (other) => other.observe('new', pf, updated, asPf));
    expect(stoodOn(await slow.layout('l'))).toMatchObject([{}, { revision: await newestOf(store, pf) }]);
    expect(await newestOf(store, pf)).toBe(2);
  });

  it('of its PF, which was observed while the VF was attached', async () => {
    const { slow } = await twoLedgers(true, false, (other) => other.observe('new', pf, updated, asPf));
    expect(stoodOn(await slow.attach('a'))).toMatchObject([{ revision: 1 }, { revision: 2 }]);
  });

  it('of its PF, which nobody knew before the VF was attached', async () => {
    const { slow } = await twoLedgers(false, false, (other) => other.observe('new', pf, updated, asPf));
    expect(stoodOn(await slow.attach('a'))).toMatchObject([{ revision: 1 }, { revision: 1 }]);
  });

  it('of its PF, which was observed while the VM was imported', async () => {
    const source = await twoLedgers(true, true, () => Promise.reject(new Error('nobody writes there')));
    const views = await Views.open(source.store, inMemory, () => undefined);
    const exported = await new ExportVmHandler(source.store, new StreamReader(source.store), views)
      .execute(new ExportVm(deviceKey().vm, null));
    if (exported.kind === 'refused') throw new Error(JSON.stringify(exported.refusal));
    const lines: string[] = [];
    for await (const line of exported.lines) lines.push(line.trimEnd());
    await views.close();
    const there = await twoLedgers(true, false, (other) => other.observe('new', pf, updated, asPf));
    const recorder = await Recorder.open(there.slow.store, new TestClock());
    const handler = new ImportBundleHandler(recorder, there.slow.reader, new ModelEvidence(there.slow.store));
    const target = { host: own.host, vmm: null, functions: new Map([[deviceKey().device, own.address]]) };
    const identity = { idempotencyKey: 'i', requestDigest: Digest.of('i') };
    const imported = await handler.execute(new ImportBundle(identity, deviceKey().vm, target, lines));
    expect(imported).toMatchObject({ kind: 'recorded' });
    const { state } = await there.slow.reader.device(deviceKey());
    expect(state).toMatchObject({ layout: { physicalFunction: { revision: 2 } } });
    await replay(there.store);
  });
});

describe('PASID is enabled by what its function was last seen to do', () => {
  it('though it was observed while that was decided', async () => {
    const { slow } = await twoLedgers(true, true, (other) =>
      other.observe('new', own, endpoint(), asVf, '7.2.13', 4));
    expect(await slow.pasids('e', enable)).toMatchObject({ refusal: { kind: 'pasid-unusable' } });
  });
});

describe('a look judges the layout that the guest has when it is recorded', () => {
  const lending = (capability: readonly number[], deviceId = 7): ConfigSpace => buildConfigSpace({
    deviceId, standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }],
    extended: [{ id: 0x0001, offset: 0x100 }, { id: 0x001b, offset: 0x2d0, body: [...capability, 0, 0] }],
  });

  it('and what that has of a PF which was observed since', async () => {
    const ledger = await TestLedger.open();
    await ledger.observe('pf', pf, lending([0x06, 0x14]), asPf);
    await ledger.observe('vf', own, endpoint(), asVf);
    await ledger.attach('a');
    expect(await ledger.observe('safe', own, endpoint(), asVf)).toMatchObject({ state: { recorded: 'confirmed' } });
    await ledger.observe('narrow', pf, lending([0x06, 0x08]), asPf);
    expect(await ledger.observe('danger', own, endpoint(), asVf)).toMatchObject({ state: {
      recorded: 'host-facts-observed',
      state: { running: { dangers: [{ kind: 'register-weaker', layout: 16, destination: 8 }] } } } });
    expect(await ledger.observe('still', own, endpoint(), asVf)).toMatchObject({ state: { recorded: 'confirmed' } });
    await ledger.observe('wide', pf, lending([0x06, 0x14], 8), asPf);
    expect(await ledger.observe('over', own, endpoint(), asVf)).toMatchObject({ state: {
      recorded: 'host-facts-observed', state: { running: { dangers: [] } } } });
    await replay(ledger.store);
  });

  it('and what that has of a PF which was observed while the look was judged', async () => {
    const store = new MemoryEventStore();
    const other = await TestLedger.open(store);
    await other.observe('pf', pf, lending([0x06, 0x14]), asPf);
    await other.observe('vf', own, endpoint(), asVf);
    await other.attach('a');
    const slow = await TestLedger.open(interrupted(store, () =>
      other.observe('narrow', pf, lending([0x06, 0x08]), asPf)));
    expect(await slow.observe('look', own, endpoint(), asVf)).toMatchObject({ state: {
      state: { running: { dangers: [{ kind: 'register-weaker' }] } } } });
  });

  it('though that was decided anew while the look was', async () => {
    const { store, slow } = await twoLedgers(true, true, (other) => other.layout('again'));
    expect(await slow.observe('o', own, updated, asVf))
      .toMatchObject({ state: { state: { running: { revision: 2 } } } });
    expect(await newestOf(store, own)).toBe(3);
  });
});
