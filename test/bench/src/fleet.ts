import { readFileSync } from 'node:fs';
import { Bdf, type ConfigSpace, readLspciText, type Result } from '@cadastre/config-space';
import { Digest, type VmmRequest } from '@cadastre/device-layout';
import { EventId, type EventStore, type StreamAppend, StreamName } from '@cadastre/event-store';
import {
  deviceDecider, DeviceId, deviceStream, encodeEvent, fold, functionDecider, functionStream, HostName,
  type LedgerEvent, Observation, VmId,
} from '@cadastre/lifecycle';

/** What the fleet is made of, again and again: samples without a serial number, which no two cards share. */
const models = ['igb-pf', 'igb-vf', 'nvme-pf', 'nvme-vf', 'virtio-net', 'xhci'];

const qemu: VmmRequest = { name: 'qemu', version: '11.0', port: 'root-port', settings: {} };

const functionsPerHost = 64;
const devicesPerVm = 4;

/** Devices in one append: each touches two streams. */
const devicesPerAppend = 50;

/** The events of one device: what its function's stream gets, and its own. */
interface DeviceHistory {
  readonly registered: readonly LedgerEvent[];
  readonly attached: readonly LedgerEvent[];
  readonly claimed: readonly LedgerEvent[];
  /** A look at the function in use that finds less than the guest was promised. */
  readonly endangered: readonly LedgerEvent[];
}

/**
 * Writes a ledger of so many devices, each attached to a function of its own: every second one with PASID and for a
 * VMM, of which every fifth is endangered by what its host saw last.
 */
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
      operations: [], told: [], persona: null, vmm: pasid ? qemu : null, keepPlaces: true,
    },
  }, deviceDecider.initial));
  const claimed = sure(functionDecider.decide({ kind: 'claim-function', key, by, migration: null }, owned));
  const held = fold(functionDecider, claimed, owned);
  const layout = attached.find((event) => event.type === 'LayoutDecided');
  if (!layout) throw new Error('an attach decides a layout');
  const iommu = { maxPasidLog2: 0, exec: false, priv: false, atsSupported: true };
  const endangered = sure(functionDecider.decide({
    kind: 'observe-function', key, observation: { ...observation, iommu },
    running: { holder: { ...by, revision: 1 }, layout, stoodOn: observation, family: null },
  }, held));
  return { registered, attached, claimed, endangered: pasid ? endangered : [] };
}

function appendsOf(history: DeviceHistory, index: number): readonly StreamAppend[] {
  const { registered, attached, claimed, endangered } = history;
  const { host, address, vm, device } = nameOf(index);
  const [key, by] = [{ host, address }, { vm, device }];
  const own = (event: LedgerEvent): LedgerEvent => {
    switch (event.type) {
      case 'FunctionRegistered': return { ...event, ...key };
      case 'FunctionClaimed': return { ...event, ...by };
      case 'FunctionObserved': case 'HostFactsObserved':
        return { ...event, holder: event.holder && { ...by, revision: 1 } };
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
  const seen = index % 10 < 2 ? endangered : [];
  return [begun(functionStream(key), [...registered, ...claimed, ...seen]), begun(deviceStream(by), attached)];
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
