import { Digest, canonicalJson } from '@cadastre/device-layout';
import { fold } from './decider.js';
import { deviceDecider } from './device/device-decider.js';
import { type DeviceEvent } from './device/device-events.js';
import { functionDecider } from './function/function-decider.js';
import { migrationDecider } from './migration/migration-decider.js';
import { MigrationId } from './name.js';
import { personaDecider } from './persona/persona-decider.js';
import { stateForm } from './state-form.js';
import { attachOver, deviceKey, functionKey, guestOf, layoutIn, observation, qemu11, sure } from './testing.js';

const observed = observation();
const key = functionKey();
const by = deviceKey();

function functions(): readonly unknown[] {
  const seen = sure(functionDecider.decide({ kind: 'observe-function', key, observation: observed, running: null },
    functionDecider.initial));
  const registered = fold(functionDecider, seen);
  const layout = layoutIn(attachOver(observed));
  const running = { holder: { ...by, revision: 1 }, layout, stoodOn: observed, family: null };
  const again = sure(functionDecider.decide({
    kind: 'observe-function', key, running,
    observation: observation({ iommu: { maxPasidLog2: 0, exec: false, priv: false, atsSupported: false } }),
  }, registered));
  return [functionDecider.initial, registered, fold(functionDecider, [
    { type: 'SharedCapabilityUsed', schema: 1, capability: 'pasid', ...by, users: 1, first: true }, ...again,
    { type: 'FunctionRetired', schema: 1, reason: 'gone' },
  ], registered)];
}

function devices(): readonly unknown[] {
  const attached = attachOver(observed, { vmm: qemu11 });
  const state = fold(deviceDecider, attached);
  const seen = guestOf(attached, observed);
  const looks = [seen, seen.patched([{ offset: 0x134 as never, mask: 0xff, value: 0 }])];
  const judged = looks.map((look) => fold(deviceDecider,
    sure(deviceDecider.decide({ kind: 'observe-guest', key: by, observed, seen: look }, state)), state));
  const pasids: readonly DeviceEvent[] = [
    { type: 'PasidEnabled', schema: 1, widthBits: 8, exec: false, priv: true, physicalFunction: key, checks: [],
      platform: { viommuSsidBits: 16, ports: [] } },
    { type: 'PasidAttached', schema: 1, pasid: 7 as never, requested: { kind: 'ioas', ptId: 1 }, resultingPtId: 2,
      hwptFlags: ['pasid'], faultId: null },
    { type: 'PriEnabled', schema: 1, by: 'iommu-driver', physicalFunction: key },
  ];
  const detached = fold(deviceDecider, sure(deviceDecider.decide(
    { kind: 'detach-device', key: by, reason: 'done' }, state)), state);
  return [deviceDecider.initial, state, ...judged, fold(deviceDecider, pasids, state), detached];
}

function migrations(): readonly unknown[] {
  const id = sure(MigrationId.from('m-1'));
  return [migrationDecider.initial, fold(migrationDecider, [
    { type: 'MigrationPlanned', schema: 1, vm: by.vm, id, host: key.host, vmm: null, moves: [] },
    { type: 'MigrationAborted', schema: 1, reason: null },
  ])];
}

/** Members and kinds of values, and not the values: what a planner writes into a layout is no form. */
function formOf(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) return value.length === 0 || depth === 0 ? 'list' : [formOf(value[0], depth - 1)];
  if (typeof value !== 'object' || value === null) return typeof value;
  if (depth === 0) return 'object';
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, formOf(one, depth - 1)]));
}

describe('the form of kept states', () => {
  it('has a number of its own: whoever changes what a state holds raises it, and writes the new digest here', () => {
    const states = [...functions(), ...devices(), ...migrations(), personaDecider.initial];
    expect({ stateForm, digest: Digest.of(canonicalJson(states.map((state) => formOf(state, 3)))) }).toEqual({
      stateForm: 10, digest: 'sha256:0c52d15f0edd1a3a6383b7889189d47f2d90dfeb6d622a04ca8341ae3c3bbcf9',
    });
  });
});
