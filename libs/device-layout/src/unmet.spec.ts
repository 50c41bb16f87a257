import { type Survey } from '@cadastre/config-space';
import { type ConfigSpaceParts, express, u32 } from '@cadastre/config-space/testing';
import { guestView, type Knobs, profileNamed } from '@cadastre/vmm-profiles';
import { layoutDocument } from './make-layout-document.js';
import { type LayoutRequest } from './plan-layout.js';
import { pinnedAt, planned, policy, surveyOf, wholePasid } from './testing.js';
import { type Shown, type Unmet, unmetBy } from './unmet.js';

const card: ConfigSpaceParts = {
  standard: [{ id: 1, offset: 0x40, body: [3, 0, 8, 0] }, express({ offset: 0x60 })],
  extended: [{ id: 0x01, version: 2, offset: 0x100 }],
};
const pasid = { widthBits: 20, execute: true, privileged: true };
const host = { kernel: { release: '7.2', flavour: 'upstream' }, pasid } as const;

/** A layout of `over`, held against what a VMM shows of `of` with exactly these knobs. */
function unmet(
  name: string, knobs: Knobs, over: Survey, change: Partial<LayoutRequest> = {}, also: Partial<Shown> = {},
): readonly Unmet[] {
  const profile = profileNamed(name);
  if (!profile.ok) throw new Error(name);
  const { layout, guestConfigSpace } = planned(over, { wanted: [], ...change });
  return unmetBy({
    seen: guestView(over.space, profile.value, { viommuPasid: false, ...knobs }, host), settings: {}, told: [],
    layout: layoutDocument(over, layout, guestConfigSpace), physical: over, isHardwareKnown: true, ...also });
}
const pinned = { wanted: [wholePasid], policy: pinnedAt(0x300) };
const withOffset = (offset: string): Knobs => ({ viommuPasid: true, settings: { 'x-vpasid-cap-offset': offset } });
const over = surveyOf(card);

describe('what a guest does not find as it was decided', () => {
  it('is nothing where the VMM shows the layout', () => {
    expect(unmet('qemu-11.0', withOffset('0x300'), over, pinned)).toEqual([]);
    expect(unmet('qemu-7.2', {}, over)).toEqual([]);
  });

  it('is everything where the device does not start', () => {
    const bridge = surveyOf({ ...card, headerType: 1 });
    expect(unmet('qemu-11.0', {}, bridge)).toEqual([{ kind: 'does-not-start', offset: null, insteadOffset: null,
      rule: 'reading C8', confidence: 'V', says: expect.stringContaining('header type 1') as unknown }]);
  });

  it('is a capability that is elsewhere, once', () => {
    expect(unmet('qemu-11.0', withOffset('0x400'), over, pinned)).toMatchObject([
      { kind: 'not-made', offset: 0x300, insteadOffset: 0x400 }]);
  });

  it('is one that was not made, with the rule that says why', () => {
    expect(unmet('qemu-11.0', withOffset('0x102'), over, pinned)).toMatchObject([
      { kind: 'not-made', offset: 0x300, insteadOffset: null, rule: 'Q21' }]);
  });

  it('is one that nobody asked for', () => {
    expect(unmet('qemu-11.0', { viommuPasid: true }, over)).toMatchObject([
      { kind: 'shown-unasked', offset: 0xff8, rule: 'Q19', says: 'ID 0x1b is made unasked' }]);
  });

  it('is its bytes where they differ, what a guest writes left out', () => {
    const registers = { ...wholePasid.registers, maxPasidWidth: 8 };
    const narrow = { ...pinned, wanted: [{ ...wholePasid, registers }] };
    expect(unmet('qemu-11.0', withOffset('0x300'), over, narrow)).toMatchObject([
      { kind: 'bytes-differ', offset: 0x305, rule: 'Q19', says: 'PASID: 14 instead of 08' }]);
  });

  it('is never a vendor\'s other capability in place of one of the same ID', () => {
    const gpu = surveyOf({ ...card, vendorId: 0x10de, classCode: 0x030200,
      standard: [...card.standard ?? [], { id: 9, offset: 0x80, body: [8, 0, 0, 0, 0, 0] }] });
    const clique = { wanted: [{ name: 'nvidia-clique', registers: { clique: 1 } }], policy: policy({
      strategies: ['table'] }) } as const;
    expect(unmet('qemu-11.0', {}, gpu, clique))
      .toMatchObject([{ kind: 'not-made', offset: 0xc8, insteadOffset: null }]);
  });

  it('is every byte the layout has and the hardware has not', () => {
    const operations = [{ kind: 'scrub', offset: 0x108, length: 2, reason: 'noise' },
      { kind: 'replace-identity', field: 'revision', value: 7, reason: 'v1' }] as const;
    const noisy = surveyOf({ ...card,
      extended: [{ id: 1, version: 2, offset: 0x100, body: [...u32(0), ...u32(0x1ff)] }] });
    expect(unmet('qemu-11.1', {}, noisy, { operations })).toMatchObject([
      { kind: 'operation-not-obeyed', offset: 8, says: 'replace-identity: 00 instead of 07' },
      { kind: 'operation-not-obeyed', offset: 0x108, says: 'scrub: ff 01 instead of 00 00' }]);
  });

  it('is, without the hardware, all that only the hardware tells', () => {
    const operations = [{ kind: 'replace-identity', field: 'vendorId', value: 0x1234, reason: 'v1' },
      { kind: 'replace-identity', field: 'deviceId', value: 0x5678, reason: 'v1' },
      { kind: 'hide-capability', space: 'extended', id: 1, offset: null, reason: 'policy' }] as const;
    const told = (settings: Readonly<Record<string, string>>) =>
      unmet('generic', {}, over, { operations }, { isHardwareKnown: false, settings })
        .filter(({ kind }) => kind === 'hardware-not-told').map(({ offset }) => offset);
    expect(told({})).toEqual([0, 2, 0x100]);
    expect(told({ 'x-pci-device-id': '0x5678' })).toEqual([0, 0x100]);
  });
});
