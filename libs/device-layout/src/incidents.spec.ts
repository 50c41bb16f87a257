import { survey, type Survey } from '@cadastre/config-space';
import { type ConfigSpaceParts, express, type ExtendedEntry, u32 } from '@cadastre/config-space/testing';
import { guestView, profileNamed } from '@cadastre/vmm-profiles';
import { knownQuirks } from './known-quirks.js';
import { type LayoutDocument } from './layout-document.js';
import { layoutDocument } from './make-layout-document.js';
import { migrationVerdict } from './migration-verdict.js';
import { type LayoutRequest } from './plan-layout.js';
import { defaultStrategies } from './refusal.js';
import {
  abilitiesOf, pinnedAt, planned, policy, reasonsOf, refusalOf, surveyOf, walkOf, wholePasid,
} from './testing.js';
import { type VerdictReason } from './verdict.js';

const aer = { id: 0x01, offset: 0x100 } as const;
const pm = { id: 0x01, offset: 0x40, body: [3, 0, 8, 0] } as const;
const byDefault = policy({ strategies: defaultStrategies });
const card: ConfigSpaceParts = {
  standard: [pm, express({ offset: 0x60 })], extended: [aer, { id: 0x18, offset: 0x200 }] };
/** What Cloud Hypervisor makes of any card that has PASID (fact C9). */
const integrated: ConfigSpaceParts = {
  ...card, standard: [pm, express({ offset: 0x60, portType: 9, lanes: 0 })], bytes: { 0x6c: [0] } };
const documentOf = (over: Survey, change: Partial<LayoutRequest> = {}): LayoutDocument => {
  const { layout, guestConfigSpace } = planned(over, change);
  return layoutDocument(over, layout, guestConfigSpace);
};
const cannot = (layout: LayoutDocument, parts: ConfigSpaceParts, vmm: string): readonly VerdictReason[] =>
  migrationVerdict(layout, { survey: surveyOf({ ...card, ...parts }), iommu: null, vmm: abilitiesOf(vmm) }).reasons;
const kinds = (reasons: readonly VerdictReason[]): readonly string[] => reasons.map(({ kind }) => kind);

describe('what went wrong in the field', () => {
  it('1: a helper broke the extended list of some layouts: every list reads back, in whatever order', () => {
    const orders = [[0x100, 0x400, 0x200], [0x100, 0x200, 0x400], [0x100, 0x300, 0x200, 0x800]];
    for (const order of orders) {
      const over = surveyOf({ extended: order.map((offset) => ({ id: 0x18, offset })) });
      for (const offset of [0x180, 0x280, 0x600, 0xff8]) {
        const guest = survey(planned(over, { policy: pinnedAt(offset) }).guestConfigSpace);
        const ascending = (offsets: readonly number[]): readonly number[] => [...offsets].sort((a, b) => a - b);
        expect(ascending(guest.capabilities.filter((one) => one.space === 'extended').map((one) => one.offset)))
          .toEqual(ascending([...order, offset]));
      }
    }
  });

  it.each([0x102, 0x100, 0xffc, 0x1000, 0x0fc])('2: a wrong offset boots without PASID: refused: %p', (offset) => {
    expect(refusalOf(surveyOf(card), { policy: pinnedAt(offset) }).kind).toBe('no-place');
  });

  it('3: the last 8 bytes over a vendor capability that spans the end: refused', () => {
    const over = surveyOf({ extended: [aer, { id: 0x0b, offset: 0xfc0, body: u32(0x04000001) }] });
    expect(reasonsOf(refusalOf(over, { policy: pinnedAt(0xff8) }))).toMatchObject([{ by: 'VSEC', from: 0xfc0 }]);
  });

  it('4: a write to the PASID control reached the device: it is the copy of the VMM, in the document', () => {
    const layout = documentOf(surveyOf(card), { policy: pinnedAt(0xff8) });
    const writes = layout.ranges.filter(({ offset, length }) => offset + length > 0xff8).map(({ write }) => write);
    expect(new Set(writes)).toEqual(new Set(['dropped', 'emulated']));
  });

  it('5, 6: firmware that differs by one capability fails late, or not at all: it is told before', () => {
    const layout = documentOf(surveyOf(card), { policy: pinnedAt(0xff8) });
    const updated = { extended: [...card.extended ?? [], { id: 0x0f, offset: 0x300 }] };
    expect(cannot(layout, updated, 'qemu-11.0')).toMatchObject([
      { kind: 'capability-extra', name: 'ATS', offset: 0x300 },
      { kind: 'bytes-differ', offset: 0x300, length: 1, why: 'vmm-compares-them', layout: '00', destination: '0f' },
      { kind: 'bytes-differ', offset: 0x302, length: 1, why: 'vmm-compares-them', layout: '00', destination: '01' }]);
    const linkless = documentOf(surveyOf(integrated), { policy: pinnedAt(0xff8) });
    expect(kinds(cannot(linkless, updated, 'cloud-hypervisor-new'))).toEqual(['capability-extra']);
  });

  it('7: hidden capabilities reappear after a restore: the document hides them, and says which VMM does not', () => {
    const family = { extended: [...card.extended ?? [], { id: 0x10, offset: 0x300 }] };
    const layout = documentOf(surveyOf({ ...card, ...family }), { wanted: [], operations: [
      { kind: 'hide-capability', space: 'extended', id: 0x10, offset: null, reason: 'no VFs in a VM' }] });
    expect(cannot(layout, family, 'cloud-hypervisor-old')).toEqual([
      { kind: 'capability-extra', space: 'extended', id: 0x10, name: 'SRIOV', offset: 0x300, rule: 'C18' }]);
    expect(cannot(layout, family, 'generic')).toEqual([]);
  });

  it('8: one kernel shows PASID where the hardware has it, the other lets the VMM put it at 0xff8', () => {
    const shown = { extended: [...card.extended ?? [], { id: 0x1b, offset: 0x2d0, body: u32(0x1406) }] };
    const layout = documentOf(surveyOf({ ...card, ...shown }), { policy: policy({ strategies: ['physical'] }) });
    const reasons = cannot(layout, { extended: card.extended ?? [] }, 'cloud-hypervisor-new');
    // And what this VMM does to a device with PASID (incident 10): its link registers.
    expect(reasons.filter((one) => one.kind !== 'bytes-differ')).toMatchObject([
      { kind: 'register-weaker', field: 'maxLinkSpeed', rule: 'C9' },
      { kind: 'register-weaker', field: 'maximumLinkWidth', rule: 'C9' },
      { kind: 'capability-missing', name: 'PASID', offset: 0x2d0 }]);
    expect(reasons.flatMap((one) => (one.kind === 'bytes-differ' ? [one.offset] : []))).toEqual([0x62, 0x6c, 0x2d4]);
  });

  it('9: two VMMs put the clique at C8 and at D4: one rule, and an anchor of ID 0', () => {
    const gpu = { ...card, vendorId: 0x10de, classCode: 0x030200 };
    const { layout } = planned(surveyOf(gpu), { wanted: [{ name: 'nvidia-clique', registers: { clique: 1 } }],
      policy: byDefault });
    expect(layout.placements).toMatchObject([{ offset: 0xc8, strategy: 'table' }]);
    const hidden = planned(surveyOf(card), { wanted: [], operations: [
      { kind: 'hide-capability', space: 'extended', id: 1, offset: null, reason: 'x' }] });
    expect(hidden.guestConfigSpace.u32(0x100)).toBe(0x20000000);
  });

  it('9: one leaves ID 0 where it hides the first capability, another 0x000c: both are known for what they are', () => {
    const family: ConfigSpaceParts = { ...card, extended: [{ id: 0x10, offset: 0x100 }, { id: 0x18, offset: 0x200 }] };
    const host = { kernel: { release: '7.2', flavour: 'upstream' },
      pasid: { widthBits: 0, execute: false, privileged: false } } as const;
    const headOf = (vmm: string): number | undefined => {
      const profile = profileNamed(vmm);
      if (!profile.ok) throw new Error(`no profile ${vmm}`);
      return guestView(surveyOf(family).space, profile.value, {}, host).space?.u16(0x100);
    };
    expect(['qemu-11.0', 'cloud-hypervisor-new', 'crosvm'].map(headOf)).toEqual([0, 0, 0x0c]);
  });

  it('9: one shows REBAR, another hides it: the second cannot show the layout, by name', () => {
    const resizable = { extended: [...card.extended ?? [], { id: 0x15, offset: 0x300, body: [0, 0, 0, 0, 0x20] }] };
    const layout = documentOf(surveyOf({ ...card, ...resizable }), { wanted: [] });
    expect(cannot(layout, resizable, 'qemu-11.0')).toEqual([]);
    expect(cannot(layout, resizable, 'cloud-hypervisor-new')).toMatchObject([
      { kind: 'vmm-hides-it', name: 'REBAR', offset: 0x300 }]);
  });

  it('10: PASID turns the device into one without a link: a weaker register is a reason', () => {
    const wide = { standard: [pm, express({ offset: 0x60, lanes: 16 })] };
    const layout = documentOf(surveyOf({ ...card, ...wide }), { wanted: [] });
    const reasons = cannot(layout, { standard: [pm, express({ offset: 0x60, lanes: 0, portType: 9 })] },
      'cloud-hypervisor-new');
    expect(reasons).toContainEqual(expect.objectContaining({ kind: 'register-weaker', field: 'maximumLinkWidth' }));
  });

  it('11, 12: no PM capability, no extended capabilities: PASID all the same, with what to know about it', () => {
    expect(planned(surveyOf({ standard: [express()], extended: [aer] })).layout.placements).toHaveLength(1);
    expect(planned(surveyOf({})).layout.placements).toMatchObject([{ cautions: [{ kind: 'no-extended-list' }] }]);
  });

  it('13: a driver has its PASID offset built in: the table knows it', () => {
    const dlb = surveyOf({ ...card, vendorId: 0x8086, deviceId: 0x2710 });
    expect(planned(dlb, { policy: byDefault, quirks: knownQuirks }).layout.placements)
      .toMatchObject([{ offset: 0x148, strategy: 'table' }]);
  });

  it('14: ATS is visible and not used: said with the placement', () => {
    const parts = {
      ...card, vendorId: 0x8086, deviceId: 0x1452, revision: 1, extended: [aer, { id: 0x0f, offset: 0x300 }] };
    const wanted = [{ name: 'ats', registers: {} }] as const;
    expect(planned(surveyOf(parts), { wanted, policy: byDefault, quirks: knownQuirks }).layout.placements)
      .toMatchObject([{ cautions: [{ kind: 'ignored-by-guests' }] }]);
  });

  it('15: the VMD shadow carries addresses of its host: those bytes are not compared', () => {
    const vmd = { ...card, vendorId: 0x8086, deviceId: 0x9a0b };
    const at = (address: number): LayoutDocument => documentOf(surveyOf(vmd), { policy: byDefault,
      wanted: [{ name: 'vmd-shadow', registers: { membar1Lower: address } }] });
    const addresses = at(0xe0000000).ranges.filter(({ offset }) => offset >= 0xf0 && offset < 0x100);
    expect(new Set(addresses.map(({ compare }) => compare))).toEqual(new Set(['ignore']));
    const there = { survey: surveyOf(vmd), iommu: null, vmm: abilitiesOf('generic') };
    const verdicts = [0xe0000000, 0xd0000000].map((address) => migrationVerdict(at(address), there));
    expect(verdicts[0]).toMatchObject({ verdict: 'obeys', reasons: [], differences: [] });
    expect(verdicts[1]).toEqual(verdicts[0]);
  });

  it('16: adding PRI next year moves PASID from 0xff8 to 0xfe8: here it stays', () => {
    const over = surveyOf(card);
    const before = planned(over, { policy: pinnedAt(0xff8) }).layout.placements;
    const after = planned(over, { wanted: [{ name: 'pri', registers: {} }, wholePasid], decided: before });
    expect(after.layout.placements.find(({ name }) => name === 'pasid')?.offset).toBe(0xff8);
    const asPacked = documentOf(surveyOf(integrated), { policy: pinnedAt(0xff8) });
    expect(cannot(asPacked, {}, 'cloud-hypervisor-new')).toEqual([]);
  });

  it('17: live bytes where PASID goes by default: refused there, found elsewhere, with the reason', () => {
    const over = surveyOf({ ...card, bytes: { 0xff8: [0x5a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] } });
    const { layout } = planned(over, { policy: pinnedAt(0xff8, { strategies: ['pinned', 'gap'] }) });
    expect(layout.placements).toMatchObject([{ offset: 0x134, refused: [{ because: { from: 0xff8, to: 0xfff } }] }]);
  });

  it('18: registers outside every capability, lists out of order: no byte of them changes', () => {
    const extended: readonly ExtendedEntry[] = [aer, { id: 0x18, offset: 0x400 }, { id: 0x0f, offset: 0x200 }];
    const over = surveyOf({ extended, bytes: { 0x180: [1, 2, 3, 4], 0x700: [9] } });
    const { guestConfigSpace: guest } = planned(over, { wanted: [wholePasid, { name: 'pri', registers: {} }] });
    expect([guest.u32(0x180), guest.u8(0x700), walkOf(guest)]).toEqual([0x04030201, 9, '100 134 13c 400 200']);
  });
});
