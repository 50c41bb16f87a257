import { readFileSync } from 'node:fs';
import { type Bdf, ConfigSpace, type Pasid, readLspciText } from '@cadastre/config-space';
import { Digest, type PlacementPolicy, type VmmRequest } from '@cadastre/device-layout';
import {
  AdvanceMigration, AttachDevice, ChangePasids, type CommandOutcome, DecideLayout, DetachDevice, ExportVm,
  GetGuestConfigSpace, GetLayout, ImportBundle, type MigrationStep, type NamedWish, ObserveFunction, ObserveGuest,
  type PasidChange, PlanMigration, type Precondition, PublishPersona, type RequestIdentity, RetireFunction,
} from '@cadastre/ledger';
import {
  DeviceId, type DeviceKey, type FunctionKey, HostName, type MigrationState, Observation, PersonaName, VmId,
} from '@cadastre/lifecycle';
import { type Command } from '@nestjs/cqrs';
import { type RunningLedger } from './running-ledger.js';
import { sure } from './world.js';

interface SampleIndex {
  readonly kernel: Observation['kernel'];
  readonly iommu: Observation['iommu'];
  readonly functions: readonly (Observation['sriov'] & { readonly file: string; readonly address: Bdf })[];
}

const samples = new URL('../../../samples/', import.meta.url);
const index = JSON.parse(readFileSync(new URL('samples.json', samples), 'utf8')) as SampleIndex;
const anywhere: PlacementPolicy = {
  strategies: ['physical', 'gap'], pinned: {}, allowedRanges: [], forbiddenRanges: [],
};
const pasid = { name: 'pasid', widthBits: null, exec: null, priv: null } as const;
const generic: VmmRequest = { name: 'generic', version: null, port: 'root-port', settings: {} };
const qemu: VmmRequest = { name: 'qemu', version: '11.0', port: 'root-port', settings: {} };
const none: Precondition = { kind: 'none' };
const any: Precondition = { kind: 'if-match-any' };

function sampleOf(file: string): SampleIndex['functions'][number] {
  const found = index.functions.find((one) => one.file === file);
  if (!found) throw new Error(`there is no sample ${file}`);
  return found;
}

function functionOf(file: string, host: string): FunctionKey {
  return { host: sure(HostName.from(host)), address: sampleOf(file).address };
}

function deviceOf(vm: string, device: string): DeviceKey {
  return { vm: sure(VmId.from(vm)), device: sure(DeviceId.from(device)) };
}

function wish(vmm: VmmRequest | null, requested: NamedWish['requested'], persona: string | null = null): NamedWish {
  return {
    requested, policy: anywhere, operations: [], told: [], vmm, keepPlaces: true,
    persona: persona === null ? null : { name: sure(PersonaName.from(persona)), version: 1 },
  };
}

/** Tells a ledger what happens to the samples, one command behind the other. */
class Teller {
  private keys = 0;

  constructor(readonly ledger: RunningLedger, private readonly name: string) {}

  async say<State>(command: (identity: RequestIdentity) => Command<CommandOutcome<State>>): Promise<State> {
    this.keys += 1;
    const idempotencyKey = `${this.name}-${this.keys}`;
    const outcome = await this.ledger.execute(command({ idempotencyKey, requestDigest: Digest.of(idempotencyKey) }));
    if (outcome.kind === 'recorded') return outcome.state;
    throw new Error(`${idempotencyKey}: ${JSON.stringify(outcome.refusal)}`);
  }

  observe(
    file: string, host: string, firmware: string | null = null, changedAt: number | null = null,
  ): Promise<unknown> {
    const { role, pf } = sampleOf(file);
    const [capture] = sure(readLspciText(readFileSync(new URL(file, samples), 'utf8')));
    const bytes = Uint8Array.from(capture?.space.toBytes() ?? []);
    if (changedAt !== null) bytes[changedAt] = 0x5a;
    const { kernel, iommu } = index;
    const observation = Observation.of(sure(ConfigSpace.fromCapture(bytes)), {
      kernel, iommu, firmware, sriov: { role, pf } });
    return this.say((identity) => new ObserveFunction(identity, functionOf(file, host), observation, none));
  }

  attach(key: DeviceKey, file: string, host: string, wanted: NamedWish): Promise<unknown> {
    return this.say((identity) => new AttachDevice(identity, key, functionOf(file, host), wanted, null, none));
  }

  pasids(key: DeviceKey, change: PasidChange): Promise<unknown> {
    return this.say((identity) => new ChangePasids(identity, key, change, any));
  }

  /** @param changed whether the guest reads another class than it should */
  async see(key: DeviceKey, changed: boolean): Promise<void> {
    const found = await this.ledger.ask(new GetGuestConfigSpace(key));
    if (found.kind === 'refused') throw new Error(found.refusal.kind);
    const bytes = Uint8Array.from(found.view.space.toBytes());
    if (changed) bytes[0x0b] = 0xee;
    await this.say((identity) => new ObserveGuest(identity, key, sure(ConfigSpace.fromCapture(bytes)), any));
  }

  plan(vm: string, host: string, files: Readonly<Record<string, string>>): Promise<MigrationState> {
    const functions = new Map(Object.entries(files).map(([device, file]) => [device, sampleOf(file).address]));
    return this.say((identity) => new PlanMigration(identity, sure(VmId.from(vm)), sure(HostName.from(host)), null,
      functions));
  }

  async advance(state: MigrationState, ...steps: readonly MigrationStep[]): Promise<void> {
    if (state.kind === 'unknown') throw new Error('nothing is planned');
    for (const step of steps) {
      await this.say((identity) => new AdvanceMigration(identity, state.key, step, 'as planned', any));
    }
  }
}

const table = (ptId: number): Extract<PasidChange, { kind: 'attach-pasid' }>['answer'] =>
  ({ kind: 'done', resultingPtId: ptId, hwptFlags: ['pasid'], faultId: null });

function attachPasid(given: number, ptId: number, kind: 'ioas' | 'hwpt'): PasidChange {
  return { kind: 'attach-pasid', pasid: given as Pasid, requested: { kind, ptId }, answer: table(ptId) };
}

const enable: PasidChange = {
  kind: 'enable-pasid', request: { widthBits: null, exec: null, priv: null },
  platform: { viommuSsidBits: 16, ports: [{ address: sampleOf('root-port.lspci').address, endEndTlpPrefix: true }] },
};

/**
 * One history in which every event there is occurs, over the samples.
 * @param elsewhere another ledger, from which a VM is taken over
 */
export async function tellSampleHistory(ledger: RunningLedger, elsewhere: RunningLedger): Promise<void> {
  const teller = new Teller(ledger, 'history');
  const [nic, nvme] = [deviceOf('vm-1', 'nic0'), deviceOf('vm-1', 'nvme0')];
  for (const host of ['host-a', 'host-b']) {
    for (const file of ['nvme-pf.lspci', 'nvme-vf.lspci', 'nic-v1.lspci']) await teller.observe(file, host);
  }
  await teller.observe('nic-v1.lspci', 'host-a');
  await teller.attach(nic, 'nic-v1.lspci', 'host-a', wish(qemu, [pasid]));
  await teller.say((identity) => new DecideLayout(identity, nic, wish(generic, [pasid]), any));
  await tellPersona(teller, nic);
  await teller.attach(nvme, 'nvme-vf.lspci', 'host-a', wish(generic, [pasid, { name: 'ats' }, { name: 'pri' }]));
  await teller.see(nic, true);
  await teller.see(nic, false);
  await tellPasids(teller, nvme);
  await teller.observe('nic-v1.lspci', 'host-a', '1.1', 0x800);
  const files = { nic0: 'nic-v1.lspci', nvme0: 'nvme-vf.lspci' };
  await teller.advance(await teller.plan('vm-1', 'host-b', files), 'prepare', 'abort');
  await teller.advance(await teller.plan('vm-1', 'host-b', files), 'prepare', 'complete');
  await teller.say((identity) =>
    new RetireFunction(identity, functionOf('nic-v1.lspci', 'host-a'), 'worn out', any));
  await takeOver(teller, new Teller(elsewhere, 'elsewhere'));
  await teller.say((identity) => new DetachDevice(identity, nvme, 'unplugged', any));
  await teller.observe('nvme-vf.lspci', 'host-b', '2.0');
  await teller.attach(deviceOf('vm-4', 'nvme0'), 'nvme-vf.lspci', 'host-b', wish(generic, [pasid]));
}

/** A layout that was decided is published, worn by another device, and that one is detached. */
async function tellPersona(teller: Teller, key: DeviceKey): Promise<void> {
  const found = await teller.ledger.ask(new GetLayout(key));
  if (found.kind === 'refused') throw new Error(found.refusal.kind);
  const name = sure(PersonaName.from('nic-v1'));
  await teller.say((identity) => new PublishPersona(identity, name, found.view.document, null, none));
  const other = deviceOf('vm-3', 'nic0');
  await teller.attach(other, 'nic-v1.lspci', 'host-b', wish(generic, [], 'nic-v1'));
  await teller.say((identity) => new DetachDevice(identity, other, null, any));
}

async function tellPasids(teller: Teller, key: DeviceKey): Promise<void> {
  const failed: PasidChange = {
    kind: 'attach-pasid', pasid: 3 as Pasid, requested: { kind: 'ioas', ptId: 9 },
    answer: { kind: 'failed', errno: 'EOPNOTSUPP' },
  };
  const changes: readonly PasidChange[] = [
    enable, attachPasid(1, 7, 'ioas'), attachPasid(1, 8, 'hwpt'), attachPasid(2, 8, 'ioas'), failed,
    { kind: 'detach-pasid', pasid: 2 as Pasid, answer: { kind: 'done' } },
    { kind: 'detach-pasid', pasid: 5 as Pasid, answer: { kind: 'done' } },
    { kind: 'enable-ats' }, { kind: 'enable-pri' }, { kind: 'disable-pri' }, { kind: 'disable-ats' },
    { kind: 'reset-pasids', cause: 'reset' }, enable, { kind: 'disable-pasid' }, enable, attachPasid(7, 4, 'ioas'),
    { kind: 'enable-ats' }, { kind: 'enable-pri' },
  ];
  for (const change of changes) await teller.pasids(key, change);
}

async function takeOver(teller: Teller, other: Teller): Promise<void> {
  const key = deviceOf('vm-2', 'net0');
  await other.observe('virtio-net.lspci', 'host-z');
  await other.attach(key, 'virtio-net.lspci', 'host-z', wish(null, [pasid]));
  const exported = await other.ledger.ask(new ExportVm(key.vm, null));
  if (exported.kind === 'refused') throw new Error(exported.refusal.kind);
  const lines: string[] = [];
  for await (const line of exported.lines) lines.push(line.trimEnd());
  await teller.observe('virtio-net.lspci', 'host-b');
  const { host, address } = functionOf('virtio-net.lspci', 'host-b');
  const target = { host, vmm: null, functions: new Map([[String(key.device), address]]) };
  await teller.say((identity) => new ImportBundle(identity, key.vm, target, lines));
}
