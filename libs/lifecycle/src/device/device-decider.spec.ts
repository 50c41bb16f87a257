import { findCapability, ok, refuse, survey } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { fold } from '../decider.js';
import { functionDecider, type RegisteredFunction } from '../function/function-decider.js';
import { type Observation } from '../function/observation.js';
import { deviceKey, endpoint, functionKey, given, observation, sure, wish } from '../testing.js';
import { type DeviceCommand, deviceDecider, familyCommands } from './device-decider.js';
import { type CapabilityRequest, type DeviceEvent } from './device-events.js';
import { rebuildGuestConfigSpace } from './guest-config-space.js';

const key = deviceKey();
const wholePasid: CapabilityRequest = { name: 'pasid', widthBits: null, exec: null, priv: null };

function registered(facts: Observation = observation(), address = '0000:3b:00.1'): RegisteredFunction {
  const state = fold(functionDecider, [
    { type: 'FunctionRegistered', schema: 1, ...functionKey(address) },
    { type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...facts },
  ]);
  if (state.kind !== 'registered') throw new Error('a registered function is registered');
  return state;
}

type Attach = Extract<DeviceCommand, { kind: 'attach-device' }>;
type Change = Partial<Attach['ground'] & Attach['wish'] & Pick<Attach, 'key'>>;

function attach({ key: by = key, ...change }: Change = {}): Attach {
  const { function: owned = registered(), physicalFunction = null, evidence = null, ...asked } = change;
  return {
    kind: 'attach-device', key: by, hotPlugOrder: null, ground: { function: owned, physicalFunction, evidence },
    wish: wish(asked),
  };
}

function layoutOf(events: readonly DeviceEvent[]): Extract<DeviceEvent, { type: 'LayoutDecided' }> {
  const decided = events.find((event) => event.type === 'LayoutDecided');
  if (!decided) throw new Error('no layout was decided');
  return decided;
}

describe('a device', () => {
  it('is attached and its layout decided by one command', () => {
    const events = sure(given(deviceDecider).when(attach()));
    expect(events.map((event) => event.type)).toEqual(['DeviceAttached', 'LayoutDecided']);
    expect(layoutOf(events)).toMatchObject({
      planner: 'planner/1',
      observation: { stream: 'function-host-a/0000:3b:00.1', revision: 1 },
      grants: [{ name: 'pasid', widthBits: 16, clampedFrom: null, exec: false, priv: true }],
      placements: [{ name: 'pasid', offset: 0x134, length: 8, strategy: 'gap' }],
    });
  });

  it('shows the guest exactly what the layout says, rebuilt from events alone', () => {
    const facts = observation();
    const layout = layoutOf(sure(given(deviceDecider).when(attach({ function: registered(facts) }))));
    const guest = rebuildGuestConfigSpace(layout, facts);
    expect(findCapability(survey(guest), 'extended', 0x1b)).toMatchObject({ offset: 0x134, version: 1 });
    expect(guest.u32(0x138)).toBe(0x1004);
  });

  it('does not rebuild from other bytes than those it was decided over', () => {
    const layout = layoutOf(sure(given(deviceDecider).when(attach())));
    const other = observation({}, buildConfigSpace({ deviceId: 0x1234 }));
    expect(() => rebuildGuestConfigSpace(layout, other)).toThrow(/function-host-a\/0000:3b:00.1@1 gives sha256:/);
  });

  it('does not rebuild from patches somebody changed', () => {
    const layout = layoutOf(sure(given(deviceDecider).when(attach())));
    const patches = layout.patches.map((one, index) => (index === 0 ? { ...one, value: one.value ^ 0x00100000 } : one));
    expect(() => rebuildGuestConfigSpace({ ...layout, patches }, observation())).toThrow(/a guest config space gives/);
  });

  it('gets the same layout from the same facts, whoever it is', () => {
    const one = layoutOf(sure(given(deviceDecider).when(attach())));
    const other = layoutOf(sure(given(deviceDecider).when(attach({ key: deviceKey('vm-9', 'x') }))));
    expect(other).toEqual(one);
  });

  it('may be attached without any synthetic capability', () => {
    const layout = layoutOf(sure(given(deviceDecider).when(attach({ requested: [] }))));
    expect(layout).toMatchObject({ placements: [], patches: [], grants: [] });
    expect(layout.guestConfigSpaceDigest).toBe(layout.observation.configSpaceDigest);
  });

  it('is refused PASID when the IOMMU reports width 0', () => {
    const facts = observation({ iommu: { maxPasidLog2: 0, exec: false, priv: false, atsSupported: true } });
    expect(given(deviceDecider).when(attach({ function: registered(facts) })))
      .toEqual(refuse({ kind: 'pasid-not-supported', maxPasidLog2: 0 }));
  });

  it('is told when its width was clamped', () => {
    const requested = [{ ...wholePasid, widthBits: 20 }];
    const layout = layoutOf(sure(given(deviceDecider).when(attach({ requested }))));
    expect(layout.grants).toEqual([{ name: 'pasid', widthBits: 16, clampedFrom: 20, exec: false, priv: true }]);
  });

  it('is refused permission bits the IOMMU lacks', () => {
    expect(given(deviceDecider).when(attach({ requested: [{ ...wholePasid, exec: true }] })))
      .toEqual(refuse({ kind: 'pasid-execute-not-supported' }));
  });

  it('is refused a layout the planner cannot prove', () => {
    const facts = observation({}, buildConfigSpace({ size: 256 }));
    expect(given(deviceDecider).when(attach({ function: registered(facts) })))
      .toEqual(refuse({ kind: 'no-extended-space', sizeBytes: 256 }));
  });

  it('cannot be a bridge, which vfio-pci does not bind', () => {
    const facts = observation({}, buildConfigSpace({ headerType: 1 }));
    expect(given(deviceDecider).when(attach({ function: registered(facts) })))
      .toEqual(refuse({ kind: 'function-not-assignable', ...functionKey(), headerType: 1 }));
  });

  it('of a VF takes the place its physical function has, and records what was known of it', () => {
    const pf = registered(observation({ sriov: { role: 'pf', pf: null } }, buildConfigSpace({
      standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }],
      extended: [{ id: 0x0001, offset: 0x100 }, { id: 0x001b, offset: 0x2d0, body: [0x06, 0x10] }],
    })), '0000:3b:00.0');
    const vf = registered(observation({ sriov: { role: 'vf', pf: pf.key.address } }, endpoint()));
    const layout = layoutOf(sure(given(deviceDecider).when(attach({
      function: vf, physicalFunction: { address: pf.key.address, state: pf },
    }))));
    expect(layout.placements).toMatchObject([{
      offset: 0x2d0, strategy: 'physical', reason: { kind: 'physical-function-has-it-here', pf: '0000:3b:00.0' },
    }]);
    expect(layout.physicalFunction).toMatchObject({ stream: 'function-host-a/0000:3b:00.0', revision: 1 });
  });

  it('of a VF whose physical function is not registered falls back, and says why', () => {
    const pf = functionKey('0000:3b:00.0').address;
    const vf = registered(observation({ sriov: { role: 'vf', pf } }));
    const layout = layoutOf(sure(given(deviceDecider).when(attach({
      function: vf, physicalFunction: { address: pf, state: null },
    }))));
    expect(layout.placements).toMatchObject([{
      strategy: 'gap', refused: [{ strategy: 'physical', because: { kind: 'physical-function-unknown', pf } }],
    }]);
    expect(layout.physicalFunction).toBeNull();
  });

  it('that is attached cannot be attached again', () => {
    const history = sure(given(deviceDecider).when(attach()));
    expect(given(deviceDecider, ...history).when(attach()))
      .toEqual(refuse({ kind: 'device-attached', ...key, function: functionKey() }));
  });

  it('is detached with a reason, and may be attached anew', () => {
    const history = sure(given(deviceDecider).when(attach()));
    const detach: DeviceCommand = { kind: 'detach-device', key, reason: 'VM stopped' };
    const detached = given(deviceDecider, ...history).when(detach);
    expect(detached).toEqual(ok([
      { type: 'DeviceDetached', schema: 1, function: functionKey(), reason: 'VM stopped' },
    ]));
    const after = given(deviceDecider, ...history, ...sure(detached));
    expect(after.state)
      .toMatchObject({ kind: 'detached', key, revision: 2, last: functionKey(), reason: 'VM stopped' });
    expect(after.when(attach()).ok).toBe(true);
    expect(after.when(detach))
      .toEqual(refuse({ kind: 'device-not-attached', ...key, state: 'detached', revision: 2 }));
  });

  it('takes its PASIDs with it when it is detached, in one event, and what it used of its physical function', () => {
    const history = sure(given(deviceDecider).when(attach()));
    const pf = functionKey('0000:3b:00.0');
    const used: readonly DeviceEvent[] = [
      { type: 'PasidEnabled', schema: 1, widthBits: 16, exec: false, priv: false, checks: [], physicalFunction: pf,
        platform: { viommuSsidBits: 16, ports: [] } },
      ...[1, 2].map((pasid): DeviceEvent => ({
        type: 'PasidAttached', schema: 1, pasid: pasid as never, requested: { kind: 'ioas', ptId: 1 },
        resultingPtId: 2, hwptFlags: [], faultId: null,
      })),
    ];
    const before = given(deviceDecider, ...history, ...used);
    expect(before.state).toMatchObject({ revision: 4, pasids: { attached: { count: 2 } } });
    const detached = sure(before.when({ kind: 'detach-device', key, reason: null }));
    expect(detached).toMatchObject([
      { type: 'PasidsDetached', cause: 'device-detach', count: 2 }, { type: 'DeviceDetached' },
    ]);
    const after = given(deviceDecider, ...history, ...used, ...detached);
    expect(familyCommands(key, before.state, after.state))
      .toEqual([{ kind: 'free-shared-capability', key: pf, capability: 'pasid', user: key }]);
    expect(familyCommands(key, after.state, before.state))
      .toEqual([{ kind: 'use-shared-capability', key: pf, capability: 'pasid', user: key }]);
    expect(familyCommands(key, before.state, before.state)).toEqual([]);
    expect(given(deviceDecider, ...history, ...used, ...detached, ...history).state)
      .toMatchObject({ kind: 'attached', pasids: { enabled: null, attached: { count: 0 } } });
  });

  it('that is not attached has no PASIDs', () => {
    expect(given(deviceDecider).when({ kind: 'reset-pasids', key, cause: 'reset' }))
      .toEqual(refuse({ kind: 'device-not-attached', ...key, state: 'unknown', revision: null }));
  });

  it('that was never attached cannot be detached', () => {
    expect(given(deviceDecider).when({ kind: 'detach-device', key, reason: null }))
      .toEqual(refuse({ kind: 'device-not-attached', ...key, state: 'unknown', revision: null }));
  });
});
