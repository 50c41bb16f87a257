import { Bdf, type ConfigSpace, Pasid, type Result } from '@cadastre/config-space';
import {
  deviceDecider, type DeviceEvent, DeviceId, type DeviceKey, type DeviceState, fold, HostName, Observation,
  VmId,
} from '@cadastre/lifecycle';
import { median, medianMicros } from './measure.js';

export interface PasidFigures {
  /** Fold of an attach and of one event more. */
  readonly foldThreeMicros: number;
  /** One more attach, decided and folded onto a state that is kept, by how many PASIDs there are. */
  readonly attachMicros: ReadonlyMap<number, number>;
  readonly foldPerEventMicros: number;
}

const sizes = [10, 1_000, 100_000] as const;
/** Attaches timed together: single ones are shorter than the clock's steps. */
const batch = 1_000;

/** PASIDs of one device: a command costs what it costs, however many there are. */
export function benchPasids(space: ConfigSpace): PasidFigures {
  const key = { vm: sure(VmId.from('vm-1')), device: sure(DeviceId.from('gpu0')) };
  const begin: readonly DeviceEvent[] = [
    ...attachedTo(space, key),
    { type: 'PasidEnabled', schema: 1, widthBits: 20, exec: false, priv: false, checks: [], physicalFunction: null,
      platform: { viommuSsidBits: 20, ports: [] } },
  ];
  const attachMicros = new Map<number, number>();
  for (const size of sizes) {
    const state = attachUpTo(fold(deviceDecider, begin), key, 1, size);
    const times = Array.from({ length: 15 }, () => {
      const start = performance.now();
      attachUpTo(state, key, size + 1, size + batch);
      return (performance.now() - start) * 1000 / batch;
    });
    attachMicros.set(size, median(times));
  }
  const events = [...begin, ...Array.from({ length: 1_000 }, (_, index) => attached(index + 1))];
  return {
    foldThreeMicros: medianMicros(() => fold(deviceDecider, begin)),
    attachMicros,
    foldPerEventMicros: medianMicros(() => fold(deviceDecider, events)) / events.length,
  };
}

export function attachedTo(space: ConfigSpace, key: DeviceKey): readonly DeviceEvent[] {
  const pf = { host: sure(HostName.from('host-a')), address: sure(Bdf.from('0000:3b:00.0')) };
  const facts = Observation.of(space, {
    kernel: { release: '7.2.13', flavour: 'upstream' }, sriov: { role: 'none', pf: null },
    iommu: { maxPasidLog2: 20, exec: false, priv: false, atsSupported: true },
  });
  return sure(deviceDecider.decide({
    kind: 'attach-device', key, hotPlugOrder: null,
    ground: {
      physicalFunction: null, evidence: null,
      function: {
        kind: 'registered', key: pf, revision: 1, observation: { facts, revision: 1, configSpaceRevision: 1 },
        claim: null, running: null, retired: null, users: { pasid: [], pri: [] },
      },
    },
    wish: {
      requested: [{ name: 'pasid', widthBits: null, exec: null, priv: null }], operations: [], told: [],
      policy: { strategies: ['physical', 'gap'], pinned: {}, allowedRanges: [], forbiddenRanges: [] },
      persona: null, vmm: null, keepPlaces: true,
    },
  }, deviceDecider.initial));
}

const table = { resultingPtId: 9, hwptFlags: ['pasid'], faultId: null } as const;
const requested = { kind: 'ioas', ptId: 3 } as const;

function attachUpTo(from: DeviceState, key: DeviceKey, first: number, last: number): DeviceState {
  let state = from;
  for (let number = first; number <= last; number += 1) {
    const pasid = sure(Pasid.from(number));
    const command = { kind: 'attach-pasid', key, pasid, requested, answer: { kind: 'done', ...table } } as const;
    state = fold(deviceDecider, sure(deviceDecider.decide(command, state)), state);
  }
  return state;
}

export function attached(number: number): DeviceEvent {
  return { type: 'PasidAttached', schema: 1, pasid: sure(Pasid.from(number)), requested, ...table };
}

function sure<Value>(result: Result<Value, unknown>): Value {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.refusal));
}
