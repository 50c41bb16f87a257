import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bdf, type ConfigSpace, type Result } from '@cadastre/config-space';
import { buildConfigSpace, express } from '@cadastre/config-space/testing';
import { Digest, type VmmRequest } from '@cadastre/device-layout';
import { EventId, type EventStore, MemoryEventStore, StreamName, StreamRevision } from '@cadastre/event-store';
import {
  decodeEvent, deviceDecider, DeviceId, type DeviceKey, deviceStream, encodeEvent, fold, functionDecider,
  type DecidedLayout, type FunctionEvent, type FunctionKey, type FunctionState, functionStream, HostName,
  isDeviceEvent, isFunctionEvent, isMigrationEvent, type LayoutGround, type LayoutWish, type LedgerEvent,
  migrationDecider, MigrationId, type MigrationKey, migrationStream, Observation, observedAgain, type PasidCommand,
  planMove, type PlannedMove, rebuildGuestConfigSpace, type RegisteredFunction, type RunningGuest, VmId,
} from '@cadastre/lifecycle';

export function sure<Value>(result: Result<Value, unknown>): Value {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.refusal));
}

export function functionKey(address = '0000:3b:00.0', host = 'host-a'): FunctionKey {
  return { host: sure(HostName.from(host)), address: sure(Bdf.from(address)) };
}

export function deviceKey(vm = 'vm-1', device = 'gpu0'): DeviceKey {
  return { vm: sure(VmId.from(vm)), device: sure(DeviceId.from(device)) };
}

export function migrationId(name = 'm-1'): MigrationId {
  return sure(MigrationId.from(name));
}

/** What tells one observed function from another in these tests. */
export interface Kind {
  readonly deviceId: number;
  readonly serial?: number;
  readonly msix?: boolean;
  readonly vfDeviceId?: number;
  /** Where a byte reads 1 that nothing owns. */
  readonly strayAt?: number;
  /** PASID bits of the host's IOMMU; 16 when not given. */
  readonly pasidBits?: number;
}

/** A PCIe endpoint with AER, and what its kind adds. */
export function endpoint({ deviceId, serial, msix = false, vfDeviceId, strayAt }: Kind): ConfigSpace {
  return buildConfigSpace({
    deviceId, vendorId: deviceId === 0xffff ? 0xffff : 0x1af4,
    standard: [express({ offset: 0x60 }), ...(msix ? [{ id: 0x11, offset: 0xb0 }] : [])],
    extended: [
      { id: 0x0001, offset: 0x100 },
      ...(serial === undefined ? [] : [{ id: 0x0003, offset: 0x150, body: [serial, 0, 0, 0, 0x20, 0, 0, 0x02] }]),
      ...(vfDeviceId === undefined ? [] : [{
        id: 0x0010, offset: 0x180, body: [...new Array<number>(22).fill(0), vfDeviceId & 0xff, vfDeviceId >> 8],
      }]),
    ],
    bytes: strayAt === undefined ? {} : { [strayAt]: [1] },
  });
}

export const virtualKind: Kind = { deviceId: 0xffff };

type Family = Observation['sriov'];
const alone: Family = { role: 'none', pf: null };

export function vfOf(address: string): Family {
  return { role: 'vf', pf: sure(Bdf.from(address)) };
}

export const qemu: VmmRequest = { name: 'qemu', version: '11.0', port: 'root-port', settings: {} };

const anywhere = { strategies: ['physical', 'gap'], pinned: {}, allowedRanges: [], forbiddenRanges: [] } as const;

export function observationOf(kind: Kind, sriov: Family = alone): Observation {
  return Observation.of(endpoint(kind), {
    kernel: { release: '7.2.13', flavour: 'upstream' },
    iommu: { maxPasidLog2: kind.pasidBits ?? 16, exec: false, priv: true, atsSupported: true },
    sriov,
  });
}

function wishOf(pasid: boolean, vmm: VmmRequest | null): LayoutWish {
  return {
    requested: pasid ? [{ name: 'pasid', widthBits: null, exec: null, priv: null }] : [], policy: anywhere,
    operations: [], told: [], persona: null, vmm, keepPlaces: true,
  };
}

/** A log that is written to as the ledger does, without its handlers: what is refused is not written. */
export class TestLog {
  private written = 0;

  constructor(readonly store: EventStore = new MemoryEventStore()) {}

  async observe(key: FunctionKey, kind: Kind, sriov: Family = alone): Promise<void> {
    const observation = observationOf(kind, sriov);
    const owned = await this.function(key);
    const running = await this.runningOn(owned);
    const decided = functionDecider.decide({ kind: 'observe-function', key, observation, running }, owned);
    if (decided.ok) await this.append([functionStream(key), decided.value]);
  }

  async attach(key: DeviceKey, of: FunctionKey, pasid = true, vmm: VmmRequest | null = null): Promise<void> {
    const owned = await this.function(of);
    if (owned.kind === 'unregistered') return;
    const claimed = functionDecider.decide({ kind: 'claim-function', key: of, by: key, migration: null }, owned);
    const attached = deviceDecider.decide({
      kind: 'attach-device', key, hotPlugOrder: null, ground: await this.ground(owned), wish: wishOf(pasid, vmm),
    }, await this.device(key));
    if (!claimed.ok || !attached.ok) return;
    await this.append([deviceStream(key), attached.value], [functionStream(of), claimed.value]);
  }

  /** Moves a device as the end of a migration does, if its guest finds there what it has. */
  async move(key: DeviceKey, to: FunctionKey): Promise<void> {
    const state = await this.device(key);
    const planned = await this.plannedMove(key, to);
    if (!planned) return;
    const { source, layout } = planned.move;
    const moved = deviceDecider.decide({ kind: 'move-device', key, to, layout, migration: migrationId() }, state);
    const released = functionDecider.decide({ kind: 'release-function', key: source, by: key },
      await this.function(source));
    await this.append([deviceStream(key), sure(moved)], [functionStream(source), sure(released)],
      [functionStream(to), planned.claimed]);
  }

  /** Brings a copy of a device as the import of a bundle does, onto a function or none. */
  async bring(key: DeviceKey, of: DeviceKey, onto: FunctionKey | null): Promise<void> {
    const original = await this.device(of);
    if (original.kind !== 'attached' || !original.layout) return;
    const planned = onto && await this.plannedMove(of, onto, key);
    if (onto && !planned) return;
    const { layout, revision } = original;
    const source = { stream: deviceStream(of), revision, position: this.written, function: original.function };
    const brought = deviceDecider.decide({ kind: 'import-device', key, move: planned?.move ?? null, imported: {
      bundle: Digest.of('bundle'), source, layout, observed: await this.stoodOn(layout), hotPlugOrder: null,
      plugins: [], isFound: true,
    } }, await this.device(key));
    if (!brought.ok) return;
    const claimed = planned && onto ? [[functionStream(onto), planned.claimed] as const] : [];
    await this.append([deviceStream(key), brought.value], ...claimed);
  }

  /** Keeps a function for a device, as the preparation of a migration does. */
  async keep(key: FunctionKey, by: DeviceKey, migration: MigrationId): Promise<void> {
    const claimed = functionDecider.decide({ kind: 'claim-function', key, by, migration }, await this.function(key));
    if (claimed.ok) await this.append([functionStream(key), claimed.value]);
  }

  /** Where the layout of a device has a capability. */
  async placeOf(key: DeviceKey, name: string): Promise<number | undefined> {
    const device = await this.device(key);
    const placements = device.kind === 'attached' ? device.layout?.placements : undefined;
    return placements?.find((one) => one.name === name)?.offset;
  }

  async retire(key: FunctionKey): Promise<void> {
    const decided = functionDecider.decide({ kind: 'retire-function', key, reason: null }, await this.function(key));
    if (decided.ok) await this.append([functionStream(key), decided.value]);
  }

  /** What the guest reads; null is what was decided. */
  async observeGuest(key: DeviceKey, read: ConfigSpace | null): Promise<void> {
    const state = await this.device(key);
    if (state.kind !== 'attached' || !state.layout) return;
    const observed = await this.stoodOn(state.layout);
    const seen = read ?? rebuildGuestConfigSpace(state.layout, observed);
    const judged = deviceDecider.decide({ kind: 'observe-guest', key, observed, seen }, state);
    if (judged.ok) await this.append([deviceStream(key), judged.value]);
  }

  /** Decides again over the newest observation. */
  async decide(key: DeviceKey, pasid: boolean, vmm: VmmRequest | null): Promise<void> {
    const state = await this.device(key);
    const owned = state.kind === 'attached' ? await this.function(state.function) : undefined;
    if (owned?.kind !== 'registered') return;
    const decided = deviceDecider.decide({
      kind: 'decide-layout', key, ground: await this.ground(owned), wish: wishOf(pasid, vmm) }, state);
    if (decided.ok) await this.append([deviceStream(key), decided.value]);
  }

  /** Changes PASIDs by a command that is complete but for the device. */
  async pasids(key: DeviceKey, change: (key: DeviceKey) => PasidCommand): Promise<void> {
    const decided = deviceDecider.decide(change(key), await this.device(key));
    if (decided.ok) await this.append([deviceStream(key), decided.value]);
  }

  /** Plans a migration of no devices, or takes one on: its row is what matters here. */
  async migrate(key: MigrationKey, step: 'plan' | 'prepare' | 'complete' | 'abort', host: HostName): Promise<void> {
    const stream = migrationStream(key);
    const state = fold(migrationDecider, (await this.eventsOf(stream)).filter(isMigrationEvent));
    const now = { moves: [], attached: [] };
    const decided = migrationDecider.decide(
      step === 'plan' ? { kind: 'plan-migration', key, host, vmm: null, moves: [] }
        : step === 'abort' ? { kind: 'abort-migration', key, reason: null } : { kind: `${step}-migration`, key, now },
      state);
    if (decided.ok) await this.append([stream, decided.value]);
  }

  async detach(key: DeviceKey): Promise<void> {
    const state = await this.device(key);
    if (state.kind !== 'attached') return;
    const released = functionDecider.decide({ kind: 'release-function', key: state.function, by: key },
      await this.function(state.function));
    const detached = deviceDecider.decide({ kind: 'detach-device', key, reason: null }, state);
    await this.append([deviceStream(key), sure(detached)], [functionStream(state.function), sure(released)]);
  }

  /** Writes events as they are: also such as no command would record. */
  async append(...changes: readonly (readonly [stream: string, events: readonly LedgerEvent[]])[]): Promise<void> {
    const batch = [];
    for (const [name, events] of changes) {
      const stream = StreamName.from(name);
      const { revision } = await this.store.readStream(stream, { from: StreamRevision.from(0), limit: 1 });
      batch.push({ stream, expectedRevision: revision, events: events.map((event) => this.encoded(event)) });
    }
    const { kind } = await this.store.append(batch);
    if (kind !== 'appended') throw new Error(`the log answered ${kind}`);
  }

  /** All events in their order, with their streams. */
  async events(): Promise<readonly { readonly stream: string; readonly event: LedgerEvent }[]> {
    const told = [];
    for (let after: Parameters<EventStore['readAll']>[0] = {}; ;) {
      const { events } = await this.store.readAll(after);
      const last = events.at(-1);
      if (!last) return told;
      told.push(...events.map(({ stream, data }) => ({ stream, event: decodeEvent(data).event })));
      after = { after: last.position };
    }
  }

  /** As the ledger reads it: a device that claims a function for a move runs on another one. */
  private async runningOn(owned: FunctionState): Promise<RunningGuest | null> {
    if (owned.kind === 'unregistered' || !owned.claim) return null;
    const device = await this.device(owned.claim);
    if (device.kind !== 'attached' || !device.layout) return null;
    if (functionStream(device.function) !== functionStream(owned.key)) return null;
    const { layout, revision } = device;
    return { holder: { ...owned.claim, revision }, layout, stoodOn: await this.stoodOn(layout), family: null };
  }

  /** What a device has, on another function, and the claim of that one; undefined where the ledger would refuse. */
  private async plannedMove(key: DeviceKey, to: FunctionKey, by = key): Promise<
    { readonly move: PlannedMove; readonly claimed: readonly FunctionEvent[] } | undefined
  > {
    const [device, target] = [await this.device(key), await this.function(to)];
    if (device.kind !== 'attached' || !device.layout || target.kind === 'unregistered') return undefined;
    const observed = await this.stoodOn(device.layout);
    const { physicalFunction, evidence } = await this.ground(target);
    const moved = sure(planMove({ device, observed, target, physicalFunction, evidence, vmm: null }));
    const claimed = functionDecider.decide({ kind: 'claim-function', key: to, by, migration: null }, target);
    return moved.kind === 'possible' && claimed.ok ? { move: moved.move, claimed: claimed.value } : undefined;
  }

  /** The observation a layout was decided over. */
  private async stoodOn({ observation: { stream, revision } }: DecidedLayout): Promise<Observation> {
    const events = await this.eventsOf(stream);
    const event = events[revision];
    if (event?.type === 'FunctionObserved') return event;
    const again = event?.type === 'HostFactsObserved' && observedAgain(event, events[event.configSpaceRevision]);
    if (again) return again;
    throw new Error(`${stream} has no observation at ${revision}`);
  }

  private async ground(owned: RegisteredFunction): Promise<LayoutGround> {
    const family = owned.observation?.facts.sriov;
    const physical = family?.pf ? await this.function({ host: owned.key.host, address: family.pf }) : null;
    const state = physical?.kind === 'registered' ? physical : null;
    return {
      function: owned, evidence: null,
      physicalFunction: family?.role === 'vf' ? { address: family.pf, state } : null,
    };
  }

  private encoded(event: LedgerEvent): { id: EventId; type: string; data: string } {
    this.written += 1;
    const idempotencyKey = `key-${this.written}`;
    const recordedAt = new Date(Date.UTC(2026, 10, 25) + this.written).toISOString();
    const envelope = { idempotencyKey, requestDigest: Digest.of(idempotencyKey), recordedAt };
    return { id: EventId.derive(idempotencyKey, 0), type: event.type, data: encodeEvent({ event, envelope }) };
  }

  private async function(key: FunctionKey): Promise<FunctionState> {
    return fold(functionDecider, (await this.eventsOf(functionStream(key))).filter(isFunctionEvent));
  }

  private async device(key: DeviceKey): Promise<ReturnType<typeof deviceDecider.evolve>> {
    return fold(deviceDecider, (await this.eventsOf(deviceStream(key))).filter(isDeviceEvent));
  }

  private async eventsOf(stream: string): Promise<readonly LedgerEvent[]> {
    const { events } = await this.store.readStream(StreamName.from(stream));
    return events.map(({ data }) => decodeEvent(data).event);
  }
}

/** Makes paths of files in directories that are gone after the tests of the file. */
export function scratchFiles(): () => string {
  const home = mkdtempSync(join(tmpdir(), 'cadastre-views-'));
  afterAll(() => rmSync(home, { recursive: true }));
  return () => join(mkdtempSync(join(home, 'v-')), 'views.sqlite');
}
