import { readFileSync } from 'node:fs';
import { Bdf, ConfigOffset, type ConfigSpace, Pasid, readLspciText, type Result } from '@cadastre/config-space';
import { Digest } from '@cadastre/device-layout';
import {
  dataBytes, EventId, type ExpectedRevision, type StreamAppend, StreamName, StreamRevision,
} from '@cadastre/event-store';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import {
  type DeviceEvent, deviceDecider, DeviceId, type DeviceKey, type DeviceState, deviceStream, encodeEvent, fold,
  type FunctionCommand, functionDecider, functionStream, HostName, type LayoutWish, type LedgerEvent, Observation,
  VmId,
} from '@cadastre/lifecycle';

const sample = read('nvme-vf');
const wish: LayoutWish = {
  requested: [{ name: 'pasid', widthBits: null, exec: null, priv: null }],
  policy: { strategies: ['physical', 'gap'], pinned: {}, allowedRanges: [], forbiddenRanges: [] },
  operations: [], told: [], persona: null, vmm: null, keepPlaces: true,
};

/** So many functions on so many hosts, each given to so many VMs one after the other. */
const functions = 512;
const hosts = 16;
const tenants = 20;
/** A VM stays a week and its host looks at the function once a day; after so many VMs the firmware is new. */
const looks = 7;
const tenantsPerFirmware = 10;

const port = { address: sure(Bdf.from('0000:00:01.0')), endEndTlpPrefix: true };

export interface History {
  /** How many events there are of each type. */
  readonly mix: ReadonlyMap<string, number>;
  /** Bytes of data of the mean event. */
  readonly meanBytes: number;
}

export interface Change {
  readonly stream: string;
  readonly expectedRevision: ExpectedRevision;
  readonly events: readonly LedgerEvent[];
}

/** One function and the devices it was given to, decided as the ledger decides. */
export class Tenancy {
  private readonly key;
  private readonly revisions = new Map<string, number>();
  private owned = functionDecider.initial;
  private tenant = tenantOf('nobody');
  private firmware = 0;
  private stoodOn = firmwareOf(0);

  constructor(index: number) {
    const address = `0000:${hex(index >> 8)}:${hex((index >> 3) & 0x1f)}.${index & 7}`;
    this.key = { host: sure(HostName.from(`host-${index % hosts}`)), address: sure(Bdf.from(address)) };
  }

  look(): readonly Change[] {
    const { key, state } = this.tenant;
    const running = state.kind !== 'attached' || !state.layout ? null
      : { holder: { ...key, revision: state.revision }, layout: state.layout, stoodOn: this.stoodOn, family: null };
    const observation = firmwareOf(this.firmware);
    return [this.onFunction({ kind: 'observe-function', key: this.key, observation, running })];
  }

  update(): readonly Change[] {
    this.firmware += 1;
    return this.look();
  }

  moveIn(vm: string): readonly Change[] {
    if (this.owned.kind !== 'registered') throw new Error('the function was never looked at');
    this.tenant = tenantOf(vm);
    this.stoodOn = firmwareOf(this.firmware);
    const attached = sure(deviceDecider.decide({
      kind: 'attach-device', key: this.tenant.key, hotPlugOrder: null, wish,
      ground: { function: this.owned, physicalFunction: null, evidence: null },
    }, this.tenant.state));
    return [this.onDevice(attached), this.onFunction({
      kind: 'claim-function', key: this.key, by: this.tenant.key, migration: null })];
  }

  enablePasid(): readonly Change[] {
    return [this.onDevice(sure(deviceDecider.decide({
      kind: 'enable-pasid', key: this.tenant.key, request: { widthBits: 8, exec: null, priv: null },
      seen: { own: this.stoodOn, physicalFunction: null }, physicalFunction: null,
      platform: { viommuSsidBits: 20, ports: [port] },
      visible: { pasid: { offset: 0x110, widthBits: 16, exec: false, priv: true }, toldBy: 'layout', revision: null },
    }, this.tenant.state)))];
  }

  attachPasid(number: number): readonly Change[] {
    return [this.onDevice(sure(deviceDecider.decide({
      kind: 'attach-pasid', key: this.tenant.key, pasid: sure(Pasid.from(number)),
      requested: { kind: 'ioas', ptId: number + 10 },
      answer: { kind: 'done', resultingPtId: number + 20, hwptFlags: ['pasid'], faultId: null },
    }, this.tenant.state)))];
  }

  detachPasid(number: number): readonly Change[] {
    const [pasid, answer] = [sure(Pasid.from(number)), { kind: 'done' }] as const;
    return [this.onDevice(sure(deviceDecider.decide(
      { kind: 'detach-pasid', key: this.tenant.key, pasid, answer }, this.tenant.state)))];
  }

  moveOut(): readonly Change[] {
    const { key, state } = this.tenant;
    const detached = sure(deviceDecider.decide({ kind: 'detach-device', key, reason: null }, state));
    return [this.onDevice(detached), this.onFunction({ kind: 'release-function', key: this.key, by: key })];
  }

  private onDevice(events: readonly DeviceEvent[]): Change {
    this.tenant.state = fold(deviceDecider, events, this.tenant.state);
    return this.changed(deviceStream(this.tenant.key), events);
  }

  private onFunction(command: FunctionCommand): Change {
    const events = sure(functionDecider.decide(command, this.owned));
    this.owned = fold(functionDecider, events, this.owned);
    return this.changed(functionStream(this.key), events);
  }

  private changed(stream: string, events: readonly LedgerEvent[]): Change {
    const before = this.revisions.get(stream);
    this.revisions.set(stream, (before ?? -1) + events.length);
    return { stream, expectedRevision: before === undefined ? 'no-stream' : StreamRevision.from(before), events };
  }
}

function tenantOf(vm: string): { readonly key: DeviceKey; state: DeviceState } {
  return { key: { vm: sure(VmId.from(vm)), device: sure(DeviceId.from('d')) }, state: deviceDecider.initial };
}

/**
 * All functions live at once, so that the streams of the log are interleaved as they are in use.
 *
 * @param pasids address spaces a VM gives to its device, one after the other and each with a PASID; with 0 its guest
 *   never enables PASID
 */
export async function writeHistory(directory: string, pasids: number): Promise<History> {
  const store = await SqliteEventStore.open(directory);
  const mix = new Map<string, number>();
  let commands = 0;
  let bytes = 0;
  const record = async (changes: readonly (readonly Change[])[]): Promise<void> => {
    await Promise.all(changes.map(async (each) => {
      const batch = encoded(each, `request-${(commands += 1)}`);
      const outcome = await store.append(batch);
      if (outcome.kind !== 'appended') throw new Error(`an append of the benchmark was answered ${outcome.kind}`);
      for (const { type, data } of batch.flatMap(({ events }) => events)) {
        mix.set(type, (mix.get(type) ?? 0) + 1);
        bytes += dataBytes(data);
      }
    }));
  };
  const tenancies = Array.from({ length: functions }, (_, index) => new Tenancy(index));
  await record(tenancies.map((one) => one.look()));
  for (let tenant = 0; tenant < tenants; tenant += 1) {
    if (tenant % tenantsPerFirmware === tenantsPerFirmware - 1) await record(tenancies.map((one) => one.update()));
    await record(tenancies.map((one, index) => one.moveIn(`vm-${tenant}-${index}`)));
    if (pasids > 0) await record(tenancies.map((one) => one.enablePasid()));
    for (let number = 1; number <= pasids; number += 1) await record(tenancies.map((one) => one.attachPasid(number)));
    for (let look = 0; look < looks; look += 1) await record(tenancies.map((one) => one.look()));
    // The last one is still there when the VM goes.
    for (let number = 1; number < pasids; number += 1) await record(tenancies.map((one) => one.detachPasid(number)));
    // The newest tenants are there to stay: their layouts are rebuilt.
    if (tenant < tenants - 1) await record(tenancies.map((one) => one.moveOut()));
  }
  await store.close();
  return { mix, meanBytes: bytes / [...mix.values()].reduce((sum, count) => sum + count, 0) };
}

function encoded(changes: readonly Change[], idempotencyKey: string): readonly StreamAppend[] {
  const envelope = { idempotencyKey, requestDigest: Digest.of(idempotencyKey), recordedAt: '2026-11-23T17:00:00.000Z' };
  let index = 0;
  return changes.map(({ stream, expectedRevision, events }) => ({
    stream: StreamName.from(stream), expectedRevision,
    events: events.map((event) => ({
      id: EventId.derive(idempotencyKey, index++), type: event.type, data: encodeEvent({ event, envelope }),
    })),
  }));
}

/** The sample's bytes with another revision ID for each firmware. */
function firmwareOf(version: number): Observation {
  const space = sample.patched([{ offset: sure(ConfigOffset.from(8)), mask: 0xff, value: version }]);
  return Observation.of(space, {
    kernel: { release: '7.2.13', flavour: 'upstream' }, sriov: { role: 'vf', pf: null },
    iommu: { maxPasidLog2: 16, exec: false, priv: true, atsSupported: true },
  });
}

function read(name: string): ConfigSpace {
  const text = readFileSync(new URL(`../../../samples/${name}.lspci`, import.meta.url), 'utf8');
  const [capture] = sure(readLspciText(text));
  if (!capture) throw new Error(`sample ${name} holds no function`);
  return capture.space;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}

function sure<Value>(result: Result<Value, unknown>): Value {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.refusal));
}
