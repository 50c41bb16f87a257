import { canonicalJson, Digest } from '@cadastre/device-layout';
import { type EventStore, type Position } from '@cadastre/event-store';
import { GetDevice, GetFunction, GetMigration, type KnownDevice, replay, StreamReader } from '@cadastre/ledger';
import {
  decodeEvent, type DeviceState, type FunctionState, type LedgerEvent, MigrationId, PasidTable, VmId,
} from '@cadastre/lifecycle';
import { inMemory, Views } from '@cadastre/views';
import { type Model, type ModelDevice, type ModelFunction } from './model.js';
import { type RunningLedger } from './running-ledger.js';
import { devices, hostFacts, slots, sure, widthMax } from './world.js';

/** What the ledger holds now. */
export interface Held {
  readonly functions: ReadonlyMap<string, FunctionState>;
  readonly devices: ReadonlyMap<string, DeviceState>;
}

export async function heldBy(ledger: RunningLedger): Promise<Held> {
  const functions = new Map<string, FunctionState>();
  for (const { name, key } of slots) {
    const found = await ledger.ask(new GetFunction(key));
    functions.set(name, found.kind === 'found' ? found.view : { kind: 'unregistered' });
  }
  const known = new Map<string, DeviceState>();
  for (const { name, key } of devices) {
    const found = await ledger.ask(new GetDevice(key));
    known.set(name, found.kind === 'found' ? found.view : { kind: 'unknown' });
  }
  return { functions, devices: known };
}

/** The ledger holds what the model says. */
export async function expectAsModelled(held: Held, model: Model, ledger: RunningLedger): Promise<void> {
  const migrations: Record<string, string> = {};
  for (const { vm, id } of model.migrations) {
    const key = { vm: sure(VmId.from(vm)), id: sure(MigrationId.from(id)) };
    const found = await ledger.ask(new GetMigration(key));
    migrations[id] = found.kind === 'found' ? found.view.kind : found.refusal.kind;
  }
  expectSame({
    functions: Object.fromEntries([...held.functions].map(([name, state]) => [name, functionSummary(state)])),
    devices: Object.fromEntries([...held.devices].map(([name, state]) => [name, deviceSummary(state)])),
    migrations,
  }, {
    functions: Object.fromEntries([...model.functions].map(([name, one]) => [name, functionMeant(one)])),
    devices: Object.fromEntries([...model.devices].map(([name, one]) => [name, deviceMeant(one)])),
    migrations: Object.fromEntries(model.migrations.map(({ id, state }) => [id, state])),
  });
}

/** As `toEqual`, which takes a hundred times as long to find that nothing differs. */
function expectSame(found: object, meant: object): void {
  if (JSON.stringify(found) !== JSON.stringify(meant)) expect(found).toEqual(meant);
}

const nameOf = (one: { vm: string; device: string } | null): string | null => one && `${one.vm}/${one.device}`;
const slotOf = (one: { host: string; address: string } | null): string | null => one && `${one.host}/${one.address}`;

function functionSummary(state: FunctionState): object | null {
  if (state.kind === 'unregistered') return null;
  const { claim, retired, running, users } = state;
  return {
    claim: claim && { device: nameOf(claim), migration: claim.migration }, retired: retired !== null,
    endangered: running !== null && running.dangers.length > 0,
    users: { pasid: users.pasid.map(nameOf), pri: users.pri.map(nameOf) },
  };
}

function functionMeant({ registered, claim, retired, endangered, users }: ModelFunction): object | null {
  return registered ? { claim, retired, endangered, users } : null;
}

function deviceSummary(state: DeviceState): object | string {
  if (state.kind !== 'attached') return state.kind;
  const { pasids, layout, guest } = state;
  const placements = layout?.placements.map(({ name, offset }): [string, number] => [name, offset]) ?? [];
  return {
    slot: slotOf(state.function), places: Object.fromEntries(placements), layoutDigest: layout?.layoutDigest,
    guest: guest?.kind ?? 'unseen', found: state.found !== null, ats: pasids.atsEnabled,
    pri: pasids.pri && slotOf(pasids.pri.physicalFunction),
    pasid: pasids.enabled && { width: pasids.enabled.widthBits, pf: slotOf(pasids.enabled.physicalFunction) },
    tables: PasidTable.page(pasids.attached, -1, 100).map(([pasid, { resultingPtId }]) => [pasid, resultingPtId]),
    count: pasids.attached.count,
  };
}

function deviceMeant(device: ModelDevice): object | string {
  const { state, slot, places, layoutDigest, guest, found, ats, pri, pasid, tables } = device;
  if (state !== 'attached') return state;
  return {
    slot, places: Object.fromEntries(places), layoutDigest, guest, found, ats, pri: pri && pri.pf, pasid,
    tables: [...tables].sort(([one], [other]) => one - other), count: tables.size,
  };
}

/** What must be true of any ledger, whatever happened; of the model nothing is asked. */
export function expectSound({ functions, devices: known }: Held): void {
  const owners: string[] = [];
  const used: string[] = [];
  const odd: unknown[] = [];
  for (const [name, state] of known) {
    if (state.kind !== 'attached') continue;
    owners.push(`${slotOf(state.function)} ${name}`);
    const { enabled, attached, pri } = state.pasids;
    const most = enabled ? 2 ** enabled.widthBits - 1 : 0;
    odd.push(...PasidTable.page(attached, -1, 100).filter(([pasid]) => pasid < 1 || pasid > most));
    if (enabled && enabled.widthBits > widthMax) odd.push(enabled);
    if (enabled?.physicalFunction) used.push(`${slotOf(enabled.physicalFunction)} pasid ${name}`);
    if (pri?.physicalFunction) used.push(`${slotOf(pri.physicalFunction)} pri ${name}`);
  }
  const claimed: string[] = [];
  const counted: string[] = [];
  for (const [slot, state] of functions) {
    if (state.kind === 'unregistered') continue;
    // One that is kept for a device which is still elsewhere is nobody's yet.
    if (state.claim?.migration === null) claimed.push(`${slot} ${nameOf(state.claim)}`);
    counted.push(...state.users.pasid.map((one) => `${slot} pasid ${nameOf(one)}`),
      ...state.users.pri.map((one) => `${slot} pri ${nameOf(one)}`));
  }
  expectSame({ owners: claimed.sort(), users: counted.sort(), odd },
    { owners: owners.sort(), users: used.sort(), odd: [] });
}

/** Where guests found capabilities: they stay there as long as the device is attached, wherever it goes. */
export class SeenPlaces {
  private readonly seen = new Map<string, string>();

  expectUnmoved(held: Held): void {
    for (const [name, state] of held.devices) {
      if (state.kind !== 'attached') {
        this.seen.delete(name);
        continue;
      }
      const places = (state.layout?.placements ?? []).map((one) => `${one.name}@${one.offset}`).sort().join();
      expectSame([name, places], [name, this.seen.get(name) ?? places]);
      if (state.found) this.seen.set(name, places);
    }
  }
}

/** How many use a capability of a PF: each event that tells it counts right, and knows the first and the last. */
export class CountedUsers {
  private readonly users = new Map<string, number>();
  private after: Position | 'start' = 'start';

  async expectCounted(store: EventStore): Promise<void> {
    for (;;) {
      const { events } = await store.readAll({ after: this.after });
      if (events.length === 0) return;
      for (const { stream, position, data } of events) {
        this.count(stream, decodeEvent(data).event);
        this.after = position;
      }
    }
  }

  private count(stream: string, event: LedgerEvent): void {
    if (event.type !== 'SharedCapabilityUsed' && event.type !== 'SharedCapabilityFreed') return;
    const place = `${stream} ${event.capability}`;
    const before = this.users.get(place) ?? 0;
    const after = event.type === 'SharedCapabilityUsed' ? before + 1 : before - 1;
    const isEdge = event.type === 'SharedCapabilityUsed' ? event.first : event.last;
    expectSame([place, event.users, isEdge], [place, after, Math.min(before, after) === 0]);
    this.users.set(place, after);
  }
}

/** What is folded step by step, replayed from the log, and listed by views is one and the same. */
export async function expectOneTruth(held: Held, model: Model, ledger: RunningLedger): Promise<void> {
  const replayed = await replay(ledger.store);
  const states = [...held.devices].filter((one): one is [string, KnownDevice] => one[1].kind !== 'unknown');
  expect(replayed.devices.map(({ stream, state, revision, stateDigest }) => ({ stream, state, revision, stateDigest })))
    .toEqual(states.map(([name, state]) => ({
      stream: `device-${name}`, state: state.kind, revision: state.revision,
      stateDigest: Digest.of(canonicalJson(state)),
    })));
  await expectListed(held, ledger);
  await expectStandsOnFactsOfThen(held, model, ledger);
}

/** What a layout was decided over is found again: the bytes, and what the host told beside them. */
async function expectStandsOnFactsOfThen(
  { devices: known }: Held, model: Model, { store }: RunningLedger,
): Promise<void> {
  const reader = new StreamReader(store);
  for (const [name, state] of known) {
    if (state.kind !== 'attached' || !state.layout) continue;
    const { kernel, firmware, configSpaceDigest } = await reader.observation(state.layout.observation);
    const { look, facts } = model.device(name);
    expectSame({ name, told: { kernel, firmware }, configSpaceDigest },
      { name, told: hostFacts[facts], configSpaceDigest: Digest.of(look.space.toBytes()) });
  }
}

async function expectListed({ functions, devices: known }: Held, { store, views }: RunningLedger): Promise<void> {
  const listedFunctions = await views.functions({}, '', 100);
  const listedDevices = await views.devices({}, '', 100);
  if (listedFunctions.kind === 'halted' || listedDevices.kind === 'halted') throw new Error('a view halted');
  const rowOf = <Row>(rows: readonly (readonly [string, Row])[]): ReadonlyMap<string, Row> =>
    new Map([...rows].sort(([one], [other]) => (one < other ? -1 : 1)));
  expect(new Map(listedFunctions.rows.map(({ key, revision, claim, isRetired }) =>
    [slotOf(key), { revision, claim: nameOf(claim), isRetired }]))).toEqual(
    rowOf([...functions].flatMap(([name, state]) => (state.kind === 'unregistered' ? []
      : [[name, { revision: state.revision, claim: nameOf(state.claim), isRetired: state.retired !== null }]]))));
  expect(new Map(listedDevices.rows.map(({ key, revision, state, function: on, layoutDigest }) =>
    [nameOf(key), { revision, state, function: slotOf(on), layoutDigest }]))).toEqual(
    rowOf([...known].flatMap(([name, state]) => (state.kind === 'unknown' ? [] : [[name, {
      revision: state.revision, state: state.kind, function: state.kind === 'attached' ? slotOf(state.function) : null,
      layoutDigest: state.kind === 'attached' ? state.layout?.layoutDigest : null,
    }]]))));
  const rebuilt = Views.anew(store, inMemory);
  await rebuilt.follow();
  expect(views.state()).toEqual(rebuilt.state());
  await rebuilt.close();
}
