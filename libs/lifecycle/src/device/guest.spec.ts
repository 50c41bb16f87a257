import { type ConfigSpace, findCapability, refuse, survey } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { type VmmRequest } from '@cadastre/device-layout';
import { fold } from '../decider.js';
import { functionDecider, type RegisteredFunction } from '../function/function-decider.js';
import { Observation } from '../function/observation.js';
import { MigrationId } from '../name.js';
import {
  anywhere, deviceKey, functionKey, given, guestOf, observation, qemu11, sure, wish,
} from '../testing.js';
import { deviceDecider } from './device-decider.js';
import { type LayoutWish } from './decide-layout.js';
import { type DeviceEvent } from './device-events.js';

const key = deviceKey();
const observed = observation();

function registered(facts: Observation): RegisteredFunction {
  const state = fold(functionDecider, [
    { type: 'FunctionRegistered', schema: 1, ...functionKey() },
    { type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...facts },
  ]);
  if (state.kind !== 'registered') throw new Error('a registered function is registered');
  return state;
}

function attached(change: Partial<LayoutWish> = {}, facts = observed): readonly DeviceEvent[] {
  return sure(given(deviceDecider).when({
    kind: 'attach-device', key, hotPlugOrder: null, wish: wish(change),
    ground: { function: registered(facts), physicalFunction: null, evidence: null },
  }));
}

function decided(events: readonly DeviceEvent[]): Extract<DeviceEvent, { type: 'LayoutDecided' }> {
  const found = events.find((event) => event.type === 'LayoutDecided');
  if (!found) throw new Error('no layout was decided');
  return found;
}

const vmmOf = (vmm: VmmRequest, change: Partial<LayoutWish> = {}) => decided(attached({ vmm, ...change })).vmm;
const generic: VmmRequest = { name: 'generic', version: null, port: 'root-port', settings: {} };
const old: VmmRequest = { ...generic, name: 'cloud-hypervisor', version: 'old' };
const pinnedAt = (pasid: number) =>
  wish({ policy: { ...anywhere, strategies: ['pinned'], pinned: { pasid } } });

describe('a layout decided for a VMM', () => {
  it('names the knob that makes QEMU 11 obey, and what the guest then reads', () => {
    const vmm = vmmOf(qemu11);
    expect(vmm).toMatchObject({
      verdict: 'obeys-with-knob', knobs: { 'x-vpasid-cap-offset': '0x134' }, unmet: [], assumed: [],
      profile: { name: 'qemu-11.0', revision: 1 }, implicitDefault: { offset: 0xff8 },
    });
    const guest = guestOf(attached({ vmm: qemu11 }), observed);
    expect(findCapability(survey(guest), 'extended', 0x1b)).toMatchObject({ offset: 0x134 });
    expect(vmm?.configuration.map(({ text }) => text).join()).toContain('x-vpasid-cap-offset=0x134');
  });

  it('is shown as it is by a VMM that obeys whole documents', () => {
    const layout = decided(attached({ vmm: generic }));
    expect(layout.vmm).toMatchObject({ verdict: 'exact', knobs: {}, unmet: [] });
    expect(layout.vmm?.predicted?.digest).toBe(layout.guestConfigSpaceDigest);
  });

  it('needs no knob where the place is the one the VMM takes by itself', () => {
    const newer: VmmRequest = { ...old, version: 'new' };
    const withPm = observation({}, buildConfigSpace({
      standard: [{ id: 0x01, offset: 0x40 }, { id: 0x10, offset: 0x60, body: [0x02, 0x00] }],
      extended: [{ id: 0x0001, offset: 0x100 }],
    }));
    expect(decided(attached({ ...pinnedAt(0xff8), vmm: newer }, withPm)).vmm)
      .toMatchObject({ verdict: 'exact', unmet: [] });
    expect(decided(attached({ ...pinnedAt(0x300), vmm: newer }, withPm)).vmm).toMatchObject({
      verdict: 'cannot-obey', unmet: [{ kind: 'not-made', offset: 0x300, insteadOffset: 0xff8, rule: 'C8' }] });
  });

  it('is recorded as one the VMM cannot obey, with what the guest sees instead', () => {
    expect(vmmOf(old)).toMatchObject({
      verdict: 'cannot-obey', knobs: {}, unmet: [{ kind: 'not-made', offset: 0x134, insteadOffset: null }] });
  });

  it('is not obeyed where the guest reads another width than it was granted', () => {
    const narrow = vmmOf(qemu11, { requested: [{ name: 'pasid', widthBits: 8, exec: null, priv: null }] });
    expect(narrow).toMatchObject({
      verdict: 'cannot-obey', unmet: [{ kind: 'bytes-differ', offset: 0x139, rule: 'Q19' }] });
  });

  it('tells which capabilities of the hardware, that nobody asked for, are shown by no setting', () => {
    const facts = observation({}, buildConfigSpace({
      standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }],
      extended: [{ id: 0x0001, offset: 0x100 }, { id: 0x0010, offset: 0x160 }],
    }));
    expect(decided(attached({ vmm: qemu11 }, facts)).vmm).toMatchObject({
      verdict: 'obeys-with-knob', unmet: [],
      notShown: [{ kind: 'not-shown', offset: 0x160, insteadOffset: null, rule: 'Q11' }] });
    const operations = [
      { kind: 'hide-capability', space: 'extended', id: 0x10, offset: null, reason: 'no VFs' }] as const;
    expect(decided(attached({ vmm: qemu11, operations }, facts)).vmm)
      .toMatchObject({ verdict: 'obeys-with-knob', unmet: [], notShown: [] });
  });

  it('tells what is guessed about the kernel', () => {
    const facts = observation({ kernel: { release: '6.12.1', flavour: 'debian' } });
    expect(decided(attached({ vmm: { ...qemu11, version: '12.0' } }, facts)).vmm?.assumed)
      .toEqual(['nobody looked at QEMU 12.0: qemu-11.1 is the last before',
        'kernel flavour debian is taken for upstream']);
  });

  it('is refused for a VMM nobody knows', () => {
    const decision = given(deviceDecider).when({
      kind: 'attach-device', key, hotPlugOrder: null, wish: wish({ vmm: { ...qemu11, name: 'bhyve' } }),
      ground: { function: registered(observed), physicalFunction: null, evidence: null },
    });
    expect(decision).toMatchObject({ ok: false, refusal: { kind: 'vmm-unknown', name: 'bhyve' } });
  });

  it('is not obeyed by one that shows what the layout hides', () => {
    const operations = [
      { kind: 'hide-capability', space: 'extended', id: 0x01, offset: null, reason: 'policy' }] as const;
    expect(vmmOf(qemu11, { operations })).toMatchObject({ verdict: 'cannot-obey' });
    expect(vmmOf(qemu11, { operations })?.unmet.map(({ kind, offset }) => [kind, offset]))
      .toContainEqual(['shown-unasked', 0x100]);
    expect(vmmOf(generic, { operations })).toMatchObject({ verdict: 'exact', unmet: [] });
  });

  it('sets the IDs that QEMU has settings for', () => {
    const operations = [{ kind: 'replace-identity', field: 'deviceId', value: 0x1234, reason: 'v1' }] as const;
    expect(vmmOf(qemu11, { operations })).toMatchObject({
      verdict: 'obeys-with-knob', knobs: { 'x-pci-device-id': '0x1234' } });
  });
});

function observe(events: readonly DeviceEvent[], seen: ConfigSpace) {
  return given(deviceDecider, ...events).when({ kind: 'observe-guest', key, observed, seen });
}

describe('what a guest reads', () => {
  const events = attached({ vmm: qemu11 });
  const predicted = guestOf(events, observed);

  it('confirms the layout when it is what was predicted', () => {
    const seen = sure(observe(events, predicted));
    expect(seen).toMatchObject([{ type: 'LayoutConfirmed', comparedWith: 'prediction', tolerated: [] }]);
    expect(fold(deviceDecider, [...events, ...seen])).toMatchObject({ revision: 2, guest: { kind: 'confirmed' } });
  });

  it('diverges when the knob was not set, and says who put the capability elsewhere', () => {
    const implicit = guestOf(attached({ ...pinnedAt(0xff8), vmm: qemu11 }), observed);
    const [event] = sure(observe(events, implicit));
    expect(event).toMatchObject({
      type: 'LayoutDiverged', missing: [{ name: 'pasid', offset: 0x134, insteadOffset: 0xff8 }],
      cause: { profile: 'qemu-11.0', settings: {}, differingBytes: 0, rule: 'Q15',
        says: 'x-vpasid-cap-offset is not set, and 0x134 was decided' },
    });
    if (event?.type !== 'LayoutDiverged') throw new Error('not diverged');
    expect(event.cause?.profile).toMatch(/^qemu-11/);
    expect(event.differences[0]).toMatchObject({ offset: 0x102, rule: 'Q17' });
    expect(fold(deviceDecider, [...events, event]))
      .toMatchObject({ guest: { kind: 'diverged', missing: [{ insteadOffset: 0xff8 }] } });
  });

  it('diverges from a layout its VMM could not obey, though it is what was predicted', () => {
    const disobeyed = attached({ vmm: old });
    expect(sure(observe(disobeyed, guestOf(disobeyed, observed))))
      .toMatchObject([{ type: 'LayoutDiverged', differences: [], missing: [{ name: 'pasid', insteadOffset: null }] }]);
  });

  it('is held against the layout itself where no VMM was named', () => {
    const layout = attached();
    const guest = Observation.configSpace(observed).patched(decided(layout).patches);
    expect(sure(observe(layout, guest))).toMatchObject([{ type: 'LayoutConfirmed', comparedWith: 'layout' }]);
  });

  it('is not judged where it was not read', () => {
    const short = buildConfigSpace({ size: 256 });
    expect(observe(events, short))
      .toEqual(refuse({ kind: 'guest-space-too-short', capturedBytes: 256, neededBytes: 4096 }));
  });

  it('is of no use once the device is detached', () => {
    const gone = [...events, { type: 'DeviceDetached', schema: 1, function: functionKey(), reason: null } as const];
    expect(observe(gone, predicted))
      .toEqual(refuse({ kind: 'device-not-attached', ...key, state: 'detached', revision: 2 }));
  });
});

describe('a layout no guest has seen', () => {
  const events = attached();
  const again = (change: Partial<LayoutWish>, history = events) => given(deviceDecider, ...history).when({
    kind: 'decide-layout', key, wish: wish(change),
    ground: { function: registered(observed), physicalFunction: null, evidence: null },
  });

  it('is decided again when it is asked for', () => {
    expect(sure(again(pinnedAt(0x300)))).toMatchObject([{ type: 'LayoutDecided', placements: [{ offset: 0x300 }] }]);
  });

  it('is never decided again once one has', () => {
    const history = [...events, ...sure(observe(events, Observation.configSpace(observed).patched(
      decided(events).patches)))];
    expect(again(pinnedAt(0x300), history))
      .toEqual(refuse({ kind: 'layout-seen', ...key, revision: 2, by: 'observation' }));
  });

  it('is found for good by a guest that enables PASID, even when a reset disables it again', () => {
    const history: readonly DeviceEvent[] = [...events, {
      type: 'PasidEnabled', schema: 1, widthBits: 8, exec: false, priv: false, physicalFunction: null,
      platform: { viommuSsidBits: 16, ports: [] }, checks: [],
    }, { type: 'PasidsDetached', schema: 1, cause: 'reset', count: 0 }];
    expect(again(pinnedAt(0x300), history))
      .toEqual(refuse({ kind: 'layout-seen', ...key, revision: 2, by: 'pasid' }));
  });

  it('is found for good by a guest that comes with it from another function', () => {
    const [, layout] = events;
    if (layout?.type !== 'LayoutDecided') throw new Error('no layout was decided');
    const migration = sure(MigrationId.from('m-1'));
    const history: readonly DeviceEvent[] = [...events, {
      type: 'DeviceMoved', schema: 1, from: functionKey(), to: functionKey('0000:3b:00.1', 'host-b'), migration,
    }, layout];
    expect(again(pinnedAt(0x300), history))
      .toEqual(refuse({ kind: 'layout-seen', ...key, revision: 2, by: 'migration' }));
  });

  it('is not decided for a device that is not attached', () => {
    expect(again({}, [])).toEqual(refuse({ kind: 'device-not-attached', ...key, state: 'unknown', revision: null }));
  });
});

describe('a device that is attached again', () => {
  const detached = (events: readonly DeviceEvent[]): readonly DeviceEvent[] =>
    [...events, { type: 'DeviceDetached', schema: 1, function: functionKey(), reason: null }];
  const attachAgain = (history: readonly DeviceEvent[], change: Partial<LayoutWish>, facts = observed) =>
    given(deviceDecider, ...history).when({
      kind: 'attach-device', key, hotPlugOrder: null, wish: wish(change),
      ground: { function: registered(facts), physicalFunction: null, evidence: null },
    });
  const dsn = { name: 'dsn', registers: { serialNumberLower: 1 } } as const;
  const pasid = { name: 'pasid', widthBits: null, exec: null, priv: null } as const;
  const first = attached(pinnedAt(0x300));

  it('has its capabilities where they were, and new ones around them', () => {
    const layout = decided(sure(attachAgain(detached(first), { requested: [dsn, pasid] })));
    expect(layout.placements.map(({ name, offset }) => [name, offset])).toEqual([['pasid', 0x300], ['dsn', 0x134]]);
  });

  it('keeps the place of one it has no more free, for a third time', () => {
    const second = sure(attachAgain(detached(first), { requested: [dsn] }));
    expect(decided(second)).toMatchObject({
      placements: [{ name: 'dsn' }], reserved: [{ name: 'pasid', offset: 0x300 }] });
    const third = sure(attachAgain(detached([...detached(first), ...second]), { requested: [pasid] }));
    expect(decided(third).placements).toMatchObject([{ name: 'pasid', offset: 0x300 }]);
  });

  it('moves one that the operator pins elsewhere, and says so', () => {
    const layout = decided(sure(attachAgain(detached(first), pinnedAt(0x400))));
    expect(layout.placements[0]).toMatchObject({ offset: 0x400, cautions: [{ kind: 'was-elsewhere', offset: 0x300 }] });
  });

  it('starts anew when that is asked for, or when it is another model', () => {
    expect(decided(sure(attachAgain(detached(first), { keepPlaces: false }))).placements[0]?.offset).toBe(0x134);
    const other = observation({}, buildConfigSpace({ deviceId: 0x4321,
      standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }], extended: [{ id: 0x0001, offset: 0x100 }] }));
    expect(decided(sure(attachAgain(detached(first), {}, other))).placements[0]?.offset).toBe(0x134);
  });

  it('is refused a function of its model whose bytes at a kept place are in use', () => {
    const used = observation({}, buildConfigSpace({
      standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }], extended: [{ id: 0x0001, offset: 0x100 }],
      bytes: { 0x304: [0xff] },
    }));
    expect(attachAgain(detached(first), {}, used)).toMatchObject({ ok: false, refusal: { kind: 'no-place' } });
  });
});

it('a capability that only a request fills is refused without its content', () => {
  const asked = wish({ requested: [{ name: 'dsn', registers: {} }] });
  const ground = { function: registered(observed), physicalFunction: null, evidence: null };
  const decision = given(deviceDecider).when({ kind: 'attach-device', key, hotPlugOrder: null, wish: asked, ground });
  expect(decision).toMatchObject({ ok: false, refusal: { kind: 'registers-missing', name: 'dsn' } });
});
