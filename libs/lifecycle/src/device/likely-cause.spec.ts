import { type ConfigSpace } from '@cadastre/config-space';
import { buildConfigSpace, express } from '@cadastre/config-space/testing';
import { type VmmRequest } from '@cadastre/device-layout';
import { guestView, type HostFacts, type Knobs, profileNamed } from '@cadastre/vmm-profiles';
import { fold } from '../decider.js';
import { functionDecider } from '../function/function-decider.js';
import { deviceKey, functionKey, given, observation, qemu11, sure, wish } from '../testing.js';
import { type LayoutWish } from './decide-layout.js';
import { deviceDecider } from './device-decider.js';
import { type DecidedLayout, type LikelyCause } from './device-events.js';
import { likelyCause } from './likely-cause.js';

const physical = buildConfigSpace({
  standard: [{ id: 1, offset: 0x40, body: [3, 0, 8, 0] }, express({ offset: 0x60, lanes: 4 })],
  extended: [{ id: 1, offset: 0x100 }, { id: 0x0f, offset: 0x200, body: [0x1f] }, { id: 0x10, offset: 0x300 }],
});

function decided(change: Partial<LayoutWish>): DecidedLayout {
  const state = fold(functionDecider, [
    { type: 'FunctionRegistered', schema: 1, ...functionKey() },
    { type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...observation({}, physical) },
  ]);
  if (state.kind !== 'registered') throw new Error('a registered function is registered');
  const events = sure(given(deviceDecider).when({ kind: 'attach-device', key: deviceKey(), hotPlugOrder: null,
    wish: wish(change), ground: { function: state, physicalFunction: null, evidence: null } }));
  const layout = events.find((event) => event.type === 'LayoutDecided');
  if (!layout) throw new Error('no layout was decided');
  return layout;
}

/** What a guest reads that was started in another way than it was decided. */
function shown(name: string, knobs: Knobs, pasid: HostFacts['pasid'] = null): ConfigSpace {
  const profile = profileNamed(name);
  if (!profile.ok) throw new Error(name);
  const kernel = { release: '7.2', flavour: 'upstream' } as const;
  const { space } = guestView(physical, profile.value, knobs, { kernel, pasid });
  if (space === null) throw new Error(`${name} does not start`);
  return space;
}
const pasid16 = { widthBits: 16, execute: false, privileged: true };
const qemu111: VmmRequest = { ...qemu11, version: '11.1' };

describe('why a guest shows something else', () => {
  const cause = (vmm: VmmRequest | null, seen: ConfigSpace): LikelyCause | null =>
    likelyCause(decided({ vmm }), physical, seen);

  it('is QEMU 11 without PASID and not an older one that shows the same: it was the one that was named', () => {
    const refused = shown('qemu-11.0', { settings: { 'x-vpasid-cap-offset': '0x102' } }, pasid16);
    for (const [vmm, profile] of [[qemu11, 'qemu-11.0'], [qemu111, 'qemu-11.1']] as const) {
      const told = cause(vmm, refused);
      expect(told).toMatchObject({ profile, port: 'root-port', differingBytes: 0, rule: 'Q21' });
      expect(told?.says).toMatch(/^made no PASID: /);
      expect(told?.ties.map((one) => one.profile)).toEqual(expect.arrayContaining(['qemu-7.2', 'qemu-10.0']));
    }
  });

  it('is the rule of the prediction where PASID was not to be expected', () => {
    const layout = decided({ vmm: qemu11 });
    const said = { says: 'no extended list', offset: null };
    const finding = { kind: 'pasid-not-made', rule: 'Q9', confidence: 'D', ...said } as const;
    const withFinding = { ...layout, vmm: layout.vmm && { ...layout.vmm, findings: [finding] } };
    expect(likelyCause(withFinding, physical, shown('qemu-11.0', {}))).toMatchObject({
      rule: 'Q9', says: 'made no PASID: no extended list' });
  });

  it('is the bus, where it is another one', () => {
    const settings = { 'x-vpasid-cap-offset': '0x134' };
    expect(cause(qemu11, shown('qemu-11.0', { port: 'root-bus', settings }, pasid16))).toMatchObject({
      profile: 'qemu-11.0', port: 'root-bus', rule: 'Q5',
      says: 'the guest has it on root-bus, and root-port was named' });
  });

  it('is the VMM, where only another one explains it', () => {
    expect(cause(qemu11, shown('crosvm', {}))).toMatchObject({ rule: null,
      says: 'the guest is one of crosvm, and qemu-11.0 was named' });
  });

  it('is a setting, with its rule', () => {
    const layout = decided({ vmm: { ...qemu111, settings: { ats: 'on' } } });
    const { offset } = layout.placements[0] ?? { offset: 0 };
    const seen = shown('qemu-11.1', { settings: { 'ats': 'off', 'x-vpasid-cap-offset': `0x${offset.toString(16)}` } },
      pasid16);
    expect(likelyCause(layout, physical, seen)).toMatchObject({ rule: 'observed 11',
      says: 'ats is off, and on was decided' });
  });

  it('is said without a rule where no VMM was named', () => {
    expect(cause(null, shown('qemu-11.0', {})))
      .toMatchObject({ rule: null, says: 'no VMM was named: nothing was predicted' });
  });
});
