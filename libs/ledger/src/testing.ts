import { Bdf, type ConfigSpace, type Result } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { canonicalJson, Digest, type PlacementPolicy } from '@cadastre/device-layout';
import { type AppendOutcome, type EventStore, MemoryEventStore } from '@cadastre/event-store';
import {
  DeviceId, type DeviceKey, type DeviceState, type FunctionKey, HostName, Observation, type PasidEvent,
  type SriovFacts, VmId,
} from '@cadastre/lifecycle';
import { type Clock } from './clock.js';
import { AttachDevice, AttachDeviceHandler } from './devices/attach-device.js';
import { DecideLayout, DecideLayoutHandler } from './devices/decide-layout.js';
import { DetachDevice, DetachDeviceHandler } from './devices/detach-device.js';
import { type NamedWish } from './devices/ground-of.js';
import { ModelEvidence } from './functions/model-evidence.js';
import { type Look, ObserveFunction, ObserveFunctionHandler } from './functions/observe-function.js';
import { type CommandOutcome, type Precondition } from './outcome.js';
import { ChangePasids, ChangePasidsHandler, type PasidChange } from './pasids/change-pasids.js';
import { Recorder } from './recorder.js';
import { StreamReader } from './stream-reader.js';

function sure<Value>(result: Result<Value, unknown>): Value {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.refusal));
}

export function functionKey(address = '0000:3b:00.1'): FunctionKey {
  return { host: sure(HostName.from('host-a')), address: sure(Bdf.from(address)) };
}

export function deviceKey(vm = 'vm-1', device = 'gpu0'): DeviceKey {
  return { vm: sure(VmId.from(vm)), device: sure(DeviceId.from(device)) };
}

export function endpoint(deviceId = 1): ConfigSpace {
  return buildConfigSpace({
    deviceId, standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }], extended: [{ id: 0x0001, offset: 0x100 }],
  });
}

const anywhere: PlacementPolicy = {
  strategies: ['physical', 'gap'], pinned: {}, allowedRanges: [], forbiddenRanges: [],
};
const pasidAnywhere: NamedWish = {
  requested: [{ name: 'pasid', widthBits: null, exec: null, priv: null }], policy: anywhere, operations: [], told: [],
  persona: null, vmm: null, keepPlaces: true,
};
const none: Precondition = { kind: 'none' };

type Answering = (real: () => Promise<AppendOutcome>) => Promise<AppendOutcome>;

/** A store whose appends a test answers; everything else is the real one. */
export function answering(store: EventStore, append: Answering): EventStore {
  return new Proxy(store, {
    get(target, name, self) {
      if (name === 'append') return (batch: Parameters<EventStore['append']>[0]) => append(() => target.append(batch));
      const value: unknown = Reflect.get(target, name, self);
      return typeof value === 'function' ? value.bind(target) as unknown : value;
    },
  });
}

/** A store to which somebody else writes between what was read and the first append. */
export function interrupted(store: EventStore, meanwhile: () => Promise<unknown>): EventStore {
  let isDue = true;
  return answering(store, async (real) => {
    const isFirst = isDue;
    isDue = false;
    if (isFirst) await meanwhile();
    return real();
  });
}

/** A clock a test sets. */
export class TestClock implements Clock {
  constructor(public instant = Date.parse('2026-11-23T17:00:00.000Z')) {}

  now(): Date {
    return new Date(this.instant);
  }
}

/** The commands of one ledger, each under a key; the request's digest is that of its content. */
export class TestLedger {
  private constructor(readonly store: EventStore, readonly reader: StreamReader, private readonly recorder: Recorder) {}

  static async open(store: EventStore = new MemoryEventStore(), clock: Clock = new TestClock()): Promise<TestLedger> {
    return new TestLedger(store, new StreamReader(store), await Recorder.open(store, clock));
  }

  observe(
    idempotencyKey: string, key = functionKey(), space = endpoint(), sriov: SriovFacts = { role: 'none', pf: null },
    release = '7.2.13', maxPasidLog2 = 16,
  ): Promise<CommandOutcome<Look>> {
    const observation = Observation.of(space, {
      kernel: { release, flavour: 'upstream' },
      iommu: { maxPasidLog2, exec: false, priv: true, atsSupported: true },
      sriov,
    });
    const requestDigest = Digest.of(`observe ${key.address} ${observation.configSpaceDigest}`);
    const command = new ObserveFunction({ idempotencyKey, requestDigest }, key, observation, none);
    return new ObserveFunctionHandler(this.recorder, this.reader).execute(command);
  }

  attach(
    idempotencyKey: string, key = deviceKey(), functionOf = functionKey(), precondition = none,
  ): Promise<CommandOutcome<DeviceState>> {
    const requestDigest = Digest.of(`attach ${key.vm} ${key.device} ${functionOf.address}`);
    const command = new AttachDevice({ idempotencyKey, requestDigest }, key, functionOf, pasidAnywhere, null,
      precondition);
    return new AttachDeviceHandler(this.recorder, this.reader, new ModelEvidence(this.store)).execute(command);
  }

  /** Decides a layout again, on whatever revision of the device. */
  layout(idempotencyKey: string, key = deviceKey(), wish = pasidAnywhere): Promise<CommandOutcome<DeviceState>> {
    const requestDigest = Digest.of(`layout ${key.vm} ${key.device}`);
    const command = new DecideLayout({ idempotencyKey, requestDigest }, key, wish, { kind: 'if-match-any' });
    return new DecideLayoutHandler(this.recorder, this.reader, new ModelEvidence(this.store)).execute(command);
  }

  detach(idempotencyKey: string, key = deviceKey(), precondition: Precondition = { kind: 'if-match-any' }):
  Promise<CommandOutcome<DeviceState>> {
    const requestDigest = Digest.of(`detach ${key.vm} ${key.device}`);
    const command = new DetachDevice({ idempotencyKey, requestDigest }, key, null, precondition);
    return new DetachDeviceHandler(this.recorder, this.reader).execute(command);
  }

  /** Changes PASIDs of a device, on whatever revision. */
  pasids(idempotencyKey: string, change: PasidChange, key = deviceKey()): Promise<CommandOutcome<PasidEvent>> {
    const requestDigest = Digest.of(`${change.kind} ${key.vm} ${key.device} ${canonicalJson(change)}`);
    const command = new ChangePasids({ idempotencyKey, requestDigest }, key, change, { kind: 'if-match-any' });
    return new ChangePasidsHandler(this.recorder, this.reader).execute(command);
  }

  /** Types of all events, in the order of the log. */
  async types(): Promise<readonly string[]> {
    return (await this.store.readAll()).events.map((event) => event.type);
  }
}
