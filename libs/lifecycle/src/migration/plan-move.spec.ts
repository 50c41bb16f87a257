import { type ConfigSpace, survey } from '@cadastre/config-space';
import { buildConfigSpace, type ConfigSpaceParts, express, u16, u32 } from '@cadastre/config-space/testing';
import { Evidence, type VmmRequest } from '@cadastre/device-layout';
import { fold } from '../decider.js';
import { type AttachedDevice, deviceDecider } from '../device/device-decider.js';
import { type LayoutWish } from '../device/decide-layout.js';
import { functionDecider, type RegisteredFunction } from '../function/function-decider.js';
import { type Observation } from '../function/observation.js';
import { anywhere, deviceKey, functionKey, given, guestOf, observation, qemu11, sure, wish } from '../testing.js';
import { type Moved, planMove } from './plan-move.js';

const key = deviceKey();
const generic: VmmRequest = { name: 'generic', version: null, port: 'root-port', settings: {} };
const packing: VmmRequest = { ...generic, name: 'cloud-hypervisor', version: 'new' };

const card = (parts: ConfigSpaceParts = {}): ConfigSpace => buildConfigSpace({
  standard: [{ id: 1, offset: 0x40, body: [3, 0] }, express({ offset: 0x60, lanes: 16 })],
  extended: [{ id: 0x01, offset: 0x100 }, { id: 0x18, offset: 0x200 }], ...parts });

function registered(facts: Observation, host = 'host-a'): RegisteredFunction {
  const state = fold(functionDecider, [
    { type: 'FunctionRegistered', schema: 1, ...functionKey('0000:3b:00.0', host) },
    { type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...facts },
  ]);
  if (state.kind !== 'registered') throw new Error('a registered function is registered');
  return state;
}

const here = observation({}, card());

/** A device on the card, and what was read in its guest. */
function device(change: Partial<LayoutWish>, seen?: (guest: ConfigSpace) => ConfigSpace): AttachedDevice {
  const events = sure(given(deviceDecider).when({ kind: 'attach-device', key, hotPlugOrder: null, wish: wish(change),
    ground: { function: registered(here), physicalFunction: null, evidence: null } }));
  const state = fold(deviceDecider, events);
  const after = seen && fold(deviceDecider, sure(deviceDecider.decide({
    kind: 'observe-guest', key, observed: here, seen: seen(guestOf(events, here)) }, state)), state);
  const known = after ?? state;
  if (known.kind !== 'attached') throw new Error('an attached device is attached');
  return known;
}

function move(
  from: AttachedDevice, to: ConfigSpace, vmm: VmmRequest | null = null, evidence: Evidence | null = null,
): Moved {
  const target = registered(observation({}, to), 'host-b');
  return sure(planMove({ device: from, observed: here, target, physicalFunction: null, evidence, vmm }));
}

const reasonsOf = ({ move: { verdict } }: Moved): readonly object[] => verdict?.reasons ?? [];
const placedAt = ({ kind, move: one }: Moved): readonly number[] =>
  (kind === 'possible' ? one.layout.placements.map(({ offset }) => offset) : []);
const both = [...wish().requested, { name: 'pri' } as const];

describe('what a guest has', () => {
  it('is where its VMM put it, when that is not where it was decided', () => {
    // Cloud Hypervisor has one place for PASID, whatever was decided.
    const at = device({ vmm: packing });
    expect(at.layout?.placements).toMatchObject([{ name: 'pasid', offset: 0x134 }]);
    const obeyed = move(at, card(), generic);
    expect(obeyed).toMatchObject({ kind: 'possible', move: { verdict: { reasons: [], hidden: [] } } });
    expect(placedAt(obeyed)).toEqual([0xff8]);
  });

  it('is what was last read in it, whatever was predicted', () => {
    const unset = (guest: ConfigSpace): ConfigSpace => guest.patched(
      [[0x100, 0x2000_0000, 0xfff0_0000], [0x200, 0xff80_0000, 0xfff0_0000], [0x134, 0, 0xffff_ffff],
        [0x138, 0, 0xffff_ffff], [0xff8, 0x0001_001b, 0xffff_ffff], [0xffc, 0x1004, 0xffff_ffff]].map(
        ([offset = 0, value = 0, mask = 0]) => ({ offset: offset as never, value: value >>> 0, mask: mask >>> 0 })));
    const at = device({ vmm: qemu11 }, unset);
    expect(at.guest).toMatchObject({ kind: 'diverged', missing: [{ name: 'pasid', insteadOffset: 0xff8 }] });
    expect(reasonsOf(move(at, card()))).toContainEqual(expect.objectContaining(
      { kind: 'offset-would-move', name: 'PASID', layout: 0xff8, destination: 0x134 }));
    expect(placedAt(move(at, card(), generic))).toEqual([0xff8]);
    // Told nothing of it, a move judges what was predicted.
    expect(move({ ...at, guest: null }, card())).toMatchObject({ kind: 'possible', move: { verdict: { knobs: [
      { capability: 'pasid', knob: 'x-vpasid-cap-offset', offset: 0x134, value: 0x134 }] } } });
  });

  it('is shown by a VMM that obeys, also where the hardware there says something else', () => {
    const other = move(device({}), card({ revision: 9 }));
    expect(other).toMatchObject({ kind: 'possible', move: { verdict: { verdict: 'obeys' } } });
    if (other.kind !== 'possible') throw new Error('it is possible');
    expect(other.move.layout.patches).toContainEqual(expect.objectContaining({ offset: 0x08 }));
  });
});

describe('what the VMM there shows', () => {
  it('Q22: is compared byte for byte with what it would show, gaps too', () => {
    const at = device({ vmm: qemu11 });
    expect(move(at, card())).toMatchObject({ kind: 'possible', move: { verdict: { verdict: 'obeys' } } });
    expect(reasonsOf(move(at, card({ bytes: { 0x600: [1] } })))).toMatchObject([
      { kind: 'bytes-differ', offset: 0x600, why: 'vmm-compares-them' }]);
  });

  it('C17, C18: is the hardware there under the patches of the source', () => {
    const at = device({ vmm: packing, policy: { ...anywhere, strategies: ['pinned'], pinned: { pasid: 0xff8 } } });
    expect(move(at, card()).move.verdict).toMatchObject({ verdict: 'exact', reasons: [] });
    // Patched or not: PASID is linked where the source's list ended.
    const longer = card({ extended: [{ id: 0x01, offset: 0x100 }, { id: 0x18, offset: 0x200 },
      { id: 0x0d, offset: 0x300 }] });
    const { verdict } = move(at, longer).move;
    expect(verdict).toMatchObject({ verdict: 'exact', reasons: [] });
    const other = card({ extended: [{ id: 0x01, offset: 0x100 }, { id: 0x18, offset: 0x240 }] });
    expect(reasonsOf(move(at, other))).toContainEqual(expect.objectContaining({ kind: 'offset-would-move',
      name: 'LTR', layout: 0x200, destination: 0x240 }));
  });

  it('X5: is not what another VMM showed', () => {
    const io = { bytes: { 0x18: u32(0xe001) } };
    const facts = observation({}, card(io));
    const events = sure(given(deviceDecider).when({ kind: 'attach-device', key, hotPlugOrder: null,
      wish: wish({ requested: [], vmm: { ...qemu11, version: '7.2' } }),
      ground: { function: registered(facts), physicalFunction: null, evidence: null } }));
    const at = fold(deviceDecider, events);
    if (at.kind !== 'attached') throw new Error('an attached device is attached');
    const crosvm: VmmRequest = { ...generic, name: 'crosvm' };
    const moved = sure(planMove({ device: at, observed: facts, target: registered(facts, 'host-b'),
      physicalFunction: null, evidence: null, vmm: crosvm }));
    expect(moved).toMatchObject({ kind: 'impossible', move: {
      verdict: { reasons: [{ kind: 'bar-differs', bar: 2, rule: 'X5' }] },
      reasons: [expect.stringMatching(/^BAR 2 is of kind 0x1, there of kind 0x0 \(X5: /)] } });
  });

  it('O4: is nothing, where the source cannot save the device', () => {
    expect(reasonsOf(move(device({ requested: [], vmm: { ...generic, name: 'openvmm' } }), card(), generic)))
      .toEqual([{ kind: 'vmm-cannot-migrate', vmm: 'openvmm', rule: 'O4' }]);
  });

  it('is nothing where no guest starts', () => {
    const covered = card({ extended: [{ id: 0x01, offset: 0x100 }, { id: 0x0d, offset: 0xff8 }] });
    const at = device({ vmm: packing, requested: both });
    expect(survey(covered).capabilities).toHaveLength(4);
    expect(reasonsOf(move(at, covered))).toMatchObject([{ kind: 'does-not-start', vmm: 'cloud-hypervisor-new' }]);
  });

  it('R5: is not what another unit has a register under', () => {
    const evidence = Evidence.of([{ source: 'unit 7', survey: survey(card({ bytes: { 0x138: [1] } })) }]);
    for (const vmm of [null, qemu11, generic]) {
      expect(move(device({ vmm }), card(), vmm, evidence)).toMatchObject({ kind: 'impossible', move: { verdict: {
        reasons: [{ kind: 'seen-in-use', name: 'PASID', offset: 0x134, at: 0x138, by: 'unit 7' }] } } });
    }
  });

  it('of a capability that meets the place is told as for a VMM that obeys', () => {
    const taken = card({ extended: [{ id: 0x01, offset: 0x100 }, { id: 0x1e, offset: 0x134, body: u16(1) },
      { id: 0x18, offset: 0x200 }] });
    expect(reasonsOf(move(device({ vmm: qemu11 }), taken))).toMatchObject([
      { kind: 'place-taken', name: 'PASID', offset: 0x134, by: 'L1SS' }]);
  });
});
