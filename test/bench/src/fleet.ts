import { readFileSync } from 'node:fs';
import { Bdf, type ConfigSpace, readLspciText, type Result } from '@cadastre/config-space';
import { Digest } from '@cadastre/device-layout';
import { EventId, type EventStore, type StreamAppend, StreamName } from '@cadastre/event-store';
import {
  deviceDecider, DeviceId, deviceStream, encodeEvent, fold, functionDecider, functionStream, HostName,
  type LedgerEvent, Observation, VmId,
} from '@cadastre/lifecycle';

/** What the fleet is made of, again and again: samples without a serial number, which no two cards share. */
const models = ['igb-pf', 'igb-vf', 'nvme-pf', 'nvme-vf', 'virtio-net', 'xhci'];

const functionsPerHost = 64;
const devicesPerVm = 4;

/** Devices in one append: each touches two streams. */
const devicesPerAppend = 50;

/** The events of one device: what its function's stream gets, and its own. */
interface DeviceHistory {
  readonly registered: readonly LedgerEvent[];
  readonly attached: readonly LedgerEvent[];
  readonly claimed: readonly LedgerEvent[];
}

/** Writes a ledger of so many devices, each attached to a function of its own, every second one with PASID. */
export async function writeFleet(store: EventStore, devices: number): Promise<void> {
  const decided = models.flatMap((model) => [decide(model, true), decide(model, false)]);
  for (let first = 0; first < devices; first += devicesPerAppend) {
    const batch: StreamAppend[] = [];
    for (let index = first; index < Math.min(first + devicesPerAppend, devices); index += 1) {
      const history = decided[index % decided.length];
      if (history) batch.push(...appendsOf(history, index));
    }
    const { kind } = await store.append(batch);
    if (kind !== 'appended') throw new Error(`an append of the benchmark was answered ${kind}`);
  }
}

/** Host, address, VM and device of the index-th one. */
export function nameOf(index: number): { host: HostName; address: Bdf; vm: VmId; device: DeviceId } {
  const slot = index % functionsPerHost;
  return {
    host: sure(HostName.from(`host-${Math.floor(index / functionsPerHost)}`)),
    address: sure(Bdf.from(`0000:${hex(slot >> 3)}:00.${slot & 7}`)),
    vm: sure(VmId.from(`vm-${Math.floor(index / devicesPerVm)}`)),
    device: sure(DeviceId.from(`d${index % devicesPerVm}`)),
  };
}

/** Decided once for a model, as the ledger decides; only the names differ from device to device. */
function decide(model: string, pasid: boolean): DeviceHistory {
  const { host, address, vm, device } = nameOf(0);
  const observation = Observation.of(read(model), {
    kernel: { release: '7.2.13', flavour: 'upstream' }, sriov: { role: 'none', pf: null },
    iommu: { maxPasidLog2: 16, exec: false, priv: true, atsSupported: true },
  });
  const [key, by] = [{ host, address }, { vm, device }];
  const registered = sure(functionDecider.decide({ kind: 'observe-function', key, observation, running: null },
    functionDecider.initial));
  const owned = fold(functionDecider, registered);
  if (owned.kind !== 'registered') throw new Error('an observed function is registered');
  const attached = sure(deviceDecider.decide({
    kind: 'attach-device', key: by, hotPlugOrder: null,
    ground: { function: owned, physicalFunction: null, evidence: null },
    wish: {
      requested: pasid ? [{ name: 'pasid', widthBits: null, exec: null, priv: null }] : [],
      policy: { strategies: ['physical', 'gap'], pinned: {}, allowedRanges: [], forbiddenRanges: [] },
      operations: [], told: [], persona: null, vmm: null, keepPlaces: true,
    },
  }, deviceDecider.initial));
  const claimed = sure(functionDecider.decide({ kind: 'claim-function', key, by, migration: null }, owned));
  return { registered, attached, claimed };
}

function appendsOf({ registered, attached, claimed }: DeviceHistory, index: number): readonly StreamAppend[] {
  const { host, address, vm, device } = nameOf(index);
  const [key, by] = [{ host, address }, { vm, device }];
  const own = (event: LedgerEvent): LedgerEvent => {
    switch (event.type) {
      case 'FunctionRegistered': return { ...event, ...key };
      case 'FunctionClaimed': return { ...event, ...by };
      case 'DeviceAttached': return { ...event, ...by, function: key };
      case 'LayoutDecided': return { ...event, observation: { ...event.observation, stream: functionStream(key) } };
      default: return event;
    }
  };
  const begun = (stream: string, events: readonly LedgerEvent[]): StreamAppend => {
    const requestDigest = Digest.of(stream);
    const envelope = { idempotencyKey: stream, requestDigest, recordedAt: '2026-11-25T00:00:00.000Z' };
    return {
      stream: StreamName.from(stream), expectedRevision: 'no-stream',
      events: events.map((event, place) => ({
        id: EventId.derive(stream, place), type: event.type, data: encodeEvent({ event: own(event), envelope }),
      })),
    };
  };
  return [begun(functionStream(key), [...registered, ...claimed]), begun(deviceStream(by), attached)];
}

function read(name: string): ConfigSpace {
  const text = readFileSync(new URL(`../../../samples/${name}.lspci`, import.meta.url), 'utf8');
  const [capture] = sure(readLspciText(text));
  if (!capture) throw new Error('a sample holds a function');
  return capture.space;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}

function sure<Value>(result: Result<Value, unknown>): Value {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.refusal));
}
