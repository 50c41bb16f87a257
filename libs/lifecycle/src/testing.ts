import { type ConfigSpace, Bdf, type Result } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { type PlacementPolicy, type VmmRequest } from '@cadastre/device-layout';
import { type Decider, fold } from './decider.js';
import { type LayoutGround, type LayoutWish } from './device/decide-layout.js';
import { deviceDecider } from './device/device-decider.js';
import { type DecidedLayout, type DeviceEvent } from './device/device-events.js';
import { Observation } from './function/observation.js';
import { DeviceId, HostName, VmId } from './name.js';
import { type DeviceKey, type FunctionKey } from './stream-key.js';

/** The value of a result a test knows to be good. */
export function sure<Value>(result: Result<Value, unknown>): Value {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.refusal));
}

export function functionKey(address = '0000:3b:00.1', host = 'host-a'): FunctionKey {
  return { host: sure(HostName.from(host)), address: sure(Bdf.from(address)) };
}

export function deviceKey(vm = 'vm-1', device = 'gpu0'): DeviceKey {
  return { vm: sure(VmId.from(vm)), device: sure(DeviceId.from(device)) };
}

/** A PCIe endpoint with AER at 0x100 and nothing else above it. */
export function endpoint(): ConfigSpace {
  return buildConfigSpace({
    standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }],
    extended: [{ id: 0x0001, offset: 0x100 }],
  });
}

export function observation(change: Partial<Observation> = {}, space = endpoint()): Observation {
  return {
    ...Observation.of(space, {
      kernel: { release: '7.2.13', flavour: 'upstream' },
      iommu: { maxPasidLog2: 16, exec: false, priv: true, atsSupported: true },
      sriov: { role: 'none', pf: null },
    }),
    ...change,
  };
}

export const anywhere: PlacementPolicy = {
  strategies: ['physical', 'gap'], pinned: {}, allowedRanges: [], forbiddenRanges: [],
};

/** A wish for PASID anywhere. */
export function wish(change: Partial<LayoutWish> = {}): LayoutWish {
  return {
    requested: [{ name: 'pasid', widthBits: null, exec: null, priv: null }], policy: anywhere, operations: [],
    told: [], persona: null, vmm: null, keepPlaces: true, ...change,
  };
}

/** What an attach over an observation records. */
export function attachOver(observed: Observation, asked: Partial<LayoutWish> = {}): readonly DeviceEvent[] {
  return sure(deviceDecider.decide({
    kind: 'attach-device', key: deviceKey(), hotPlugOrder: null, wish: wish(asked),
    ground: groundOver(observed),
  }, deviceDecider.initial));
}

/** A function that was observed once, and nothing else. */
export function groundOver(observed: Observation): LayoutGround {
  return {
    physicalFunction: null, evidence: null,
    function: {
      kind: 'registered', key: functionKey(), revision: 1, claim: null, running: null, users: { pasid: [], pri: [] },
      observation: { facts: observed, revision: 1, configSpaceRevision: 1 }, retired: null,
    },
  };
}

/** The layout that was decided in a history. */
export function layoutIn(events: readonly DeviceEvent[]): DecidedLayout {
  const layout = events.find((event) => event.type === 'LayoutDecided');
  if (layout) return layout;
  throw new Error('no layout was decided');
}

export const qemu11: VmmRequest = { name: 'qemu', version: '11.0', port: 'root-port', settings: {} };

/** What a guest reads of an attached device when its VMM does what was predicted. */
export function guestOf(events: readonly DeviceEvent[], observed: Observation): ConfigSpace {
  const decided = events.find((event) => event.type === 'LayoutDecided');
  const predicted = decided?.vmm?.predicted;
  if (!predicted) throw new Error('nothing was predicted');
  return Observation.configSpace(observed).patched(predicted.patches);
}

/** History, command, outcome: `given(decider, ...events).when(command)`. */
export function given<Command, State, Event, Refusal>(
  decider: Decider<Command, State, Event, Refusal>, ...history: readonly Event[]
): { readonly state: State; when(command: Command): Result<readonly Event[], Refusal> } {
  const state = fold(decider, history);
  return { state, when: (command) => decider.decide(command, state) };
}

/** Of random tests: printed with their names, and taken from the environment to run them again. */
export const seed = Number(process.env['CADASTRE_SEED'] ?? Date.now() % 2 ** 31);
