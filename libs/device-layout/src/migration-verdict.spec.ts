import { type Survey } from '@cadastre/config-space';
import { type ConfigSpaceParts, express, type ExtendedEntry, u16, u32 } from '@cadastre/config-space/testing';
import { obedientVmm, type VmmAbilities } from '@cadastre/vmm-profiles';
import { explainVerdict } from './explain-verdict.js';
import { type IommuFacts } from './iommu-facts.js';
import { type LayoutDocument } from './layout-document.js';
import { layoutDocument } from './make-layout-document.js';
import { migrationVerdict } from './migration-verdict.js';
import { type LayoutRequest } from './plan-layout.js';
import { abilitiesOf, pinnedAt, planned, policy, surveyOf, wholePasid } from './testing.js';
import { type Verdict } from './verdict.js';

const vmm = (change: Partial<VmmAbilities>): VmmAbilities => ({
  ...obedientVmm, placing: 'none', makes: [], migration: 'restores-patches', exemptsVendorBytes: true, ...change });
const knobs = vmm({ placing: 'pinned-by-setting', makes: [0x1b], setting: 'x-vpasid-cap-offset',
  migration: 'compares-bytes' });
const packing = vmm({ placing: 'end-of-space-only', makes: [0x1b, 0x13] });
const plain = vmm({});
const wide: IommuFacts = { maxPasidLog2: 20, exec: true, priv: true, atsSupported: true };

const extended: readonly ExtendedEntry[] = [
  { id: 0x01, offset: 0x100 }, { id: 0x0f, offset: 0x200, body: u16(0x20) }, { id: 0x18, offset: 0x300 }];
const model: ConfigSpaceParts = {
  vendorId: 0x1234, deviceId: 0x5678, standard: [
    { id: 1, offset: 0x40, body: [3, 0, 8, 0] }, express({ offset: 0x60, lanes: 16, endEndTlpPrefix: true }),
    { id: 0x11, offset: 0xa0, body: u16(0x1f) }],
  extended,
};
const here = surveyOf(model);
const documentOf = (over: Survey, change: Partial<LayoutRequest> = {}): LayoutDocument => {
  const { layout, guestConfigSpace } = planned(over, change);
  return layoutDocument(over, layout, guestConfigSpace);
};
const bare = documentOf(here, { wanted: [] });
const withPasid = documentOf(here, { policy: pinnedAt(0x400) });
const verdict = (layout: LayoutDocument, parts: ConfigSpaceParts, by: VmmAbilities, iommu = wide): Verdict =>
  migrationVerdict(layout, { survey: surveyOf({ ...model, ...parts }), iommu, vmm: by });
const kinds = ({ reasons }: Verdict): readonly string[] => reasons.map(({ kind }) => kind);

describe('the same model', () => {
  it.each([plain, knobs, packing, obedientVmm])('shows a layout of nothing added exactly: %p', (by) => {
    expect(verdict(bare, {}, by)).toMatchObject({ verdict: 'exact', reasons: [], knobs: [], differences: [] });
  });

  it('shows an added capability with the knob that puts it there', () => {
    expect(verdict(withPasid, {}, knobs)).toMatchObject({ verdict: 'obeys', knobs: [
      { capability: 'pasid', knob: 'x-vpasid-cap-offset', offset: 0x400 }] });
    expect(verdict(withPasid, {}, obedientVmm)).toMatchObject({ verdict: 'obeys', knobs: [{ knob: 'layout' }] });
  });

  it('shows it exactly where the VMM puts it on its own, and nowhere else', () => {
    expect(verdict(documentOf(here, { policy: pinnedAt(0xff8) }), {}, packing).verdict).toBe('exact');
    expect(verdict(withPasid, {}, packing).reasons).toMatchObject([
      { kind: 'offset-would-move', name: 'PASID', layout: 0x400, destination: 0xff8 }]);
    expect(kinds(verdict(withPasid, {}, plain))).toEqual(['vmm-cannot-place-it']);
  });

  it('moves PASID when PRI is packed behind it: a VMM upgrade that breaks migration', () => {
    const both = documentOf(here, { wanted: [wholePasid, { name: 'pri', registers: {} }], policy: policy({
      strategies: ['pinned'], pinned: { pasid: 0xff8, pri: 0xfe8 } }) });
    expect(verdict(both, {}, packing).reasons).toMatchObject([
      { kind: 'offset-would-move', name: 'PRI', layout: 0xfe8, destination: 0xff0 },
      { kind: 'offset-would-move', name: 'PASID', layout: 0xff8, destination: 0xfe8 }]);
    expect(verdict(both, {}, vmm({ placing: 'end-of-space-only', makes: [0x13, 0x1b] })).verdict).toBe('exact');
  });

  it('may differ in what its drivers and its units set', () => {
    expect(verdict(bare, { command: 6, bytes: { 0x3c: [11] } }, plain).verdict).toBe('exact');
    const vendor = { extended: [...extended, { id: 0x0b, offset: 0x500, body: u32(0x01000001) }] };
    const layout = documentOf(surveyOf({ ...model, ...vendor }), { wanted: [] });
    expect(verdict(layout, { ...vendor, bytes: { 0x50c: [9] } }, plain)).toMatchObject({
      verdict: 'consistent', differences: [{ offset: 0x50c, length: 1, why: 'consistent', layout: '00',
        destination: '09' }] });
    expect(verdict(layout, { ...vendor, bytes: { 0x50c: [9] } }, knobs).reasons).toMatchObject([
      { kind: 'bytes-differ', why: 'vmm-compares-them', offset: 0x50c }]);
  });

  it('differs in a gap that a VMM compares', () => {
    expect(kinds(verdict(bare, { bytes: { 0x600: [1] } }, knobs))).toEqual(['bytes-differ']);
    expect(verdict(bare, { bytes: { 0x600: [1] } }, plain).verdict).toBe('exact');
  });

  it('with a register at the place refuses, whoever puts the capability there', () => {
    for (const by of [knobs, obedientVmm]) {
      expect(verdict(withPasid, { bytes: { 0x404: [1] } }, by).reasons).toContainEqual({
        kind: 'place-taken', space: 'extended', id: 0x1b, name: 'PASID', offset: 0x400, at: 0x404,
        by: 'unknown-non-zero' });
    }
  });
});

describe('a copy with one extended capability', () => {
  const [aer, ats, ltr] = extended as readonly [ExtendedEntry, ExtendedEntry, ExtendedEntry];
  it.each<[string, readonly ExtendedEntry[], readonly string[], string, object]>([
    ['added', [...extended, { id: 0x1e, offset: 0x800 }], ['capability-extra'], 'obeys',
      { hidden: [{ name: 'L1SS', offset: 0x800 }] }],
    ['removed', [aer, ltr], ['capability-missing', 'bytes-differ'], 'cannot',
      { reasons: [{ kind: 'capability-missing', id: 0x0f }] }],
    ['moved', [aer, { ...ats, offset: 0x240 }, ltr], ['offset-would-move'], 'obeys',
      { relocations: [{ name: 'ATS', physical: 0x240, guest: 0x200 }] }],
    ['listed in another order', [aer, ltr, ats], ['list-order-differs'], 'exact', {}],
  ])('%s', (_, list, reasons, obeyed, more) => {
    expect(kinds(verdict(bare, { extended: list }, plain))).toEqual(reasons);
    expect(verdict(bare, { extended: list }, plain).verdict).toBe('cannot');
    expect(verdict(bare, { extended: list }, obedientVmm)).toMatchObject({ verdict: obeyed, ...more });
  });

  it.each<[string, number, number, readonly string[], readonly string[]]>([
    ['grown', 0x10, 0x20, ['capability-shape-differs', 'bytes-differ'], []],
    ['shrunk', 0x20, 0x10, ['capability-shape-differs', 'bytes-differ'], ['capability-shape-differs']],
  ])('%s', (_, before, after, reasons, obeyed) => {
    const vendor = (length: number): ConfigSpaceParts =>
      ({ extended: [aer, { id: 0x0b, offset: 0x400, body: u32(((length << 20) | 1) >>> 0) }] });
    const layout = documentOf(surveyOf({ ...model, ...vendor(before) }), { wanted: [] });
    expect(kinds(verdict(layout, vendor(after), plain))).toEqual(reasons);
    expect(kinds(verdict(layout, vendor(after), obedientVmm))).toEqual(obeyed);
  });

  it('added where PASID is made up: the place is taken, the order of the lists is not another', () => {
    const over = documentOf(here, { policy: pinnedAt(0x280) });
    const there = { extended: [...extended, { id: 0x1e, offset: 0x280 }] };
    expect(kinds(verdict(over, there, plain))).toEqual(['capability-extra', 'place-taken', 'vmm-cannot-place-it']);
  });

  it('that a VMM takes away anyway', () => {
    const family = { extended: [...extended, { id: 0x10, offset: 0x500 }] };
    const hiding = vmm({ hides: [0x10] });
    expect(verdict(bare, family, hiding)).toMatchObject({ verdict: 'exact', hidden: [{ name: 'SRIOV' }] });
    const shown = documentOf(surveyOf({ ...model, ...family }), { wanted: [] });
    expect(kinds(verdict(shown, family, hiding))).toContain('vmm-hides-it');
  });
});

describe('two capabilities of a kind', () => {
  const vendors = (...offsets: readonly (readonly [id: number, offset: number])[]): ConfigSpaceParts => ({
    extended: [{ id: 0x01, offset: 0x100 },
      ...offsets.map(([id, offset]) => ({ id: 0x0b, offset, body: u32((0x10 << 20 | id) >>> 0) }))] });
  const two = documentOf(surveyOf({ ...model, ...vendors([1, 0x400], [1, 0x500]) }), { wanted: [] });

  it('stand behind one each: where one is gone, one is missed', () => {
    for (const [left, gone] of [[0x400, 0x500], [0x500, 0x400]] as const) {
      expect(verdict(two, vendors([1, left]), obedientVmm).reasons).toEqual([
        { kind: 'capability-missing', space: 'extended', id: 0x0b, name: 'VSEC', offset: gone }]);
    }
  });

  it('move one by one: the one that stayed is its own', () => {
    expect(verdict(two, vendors([1, 0x500], [1, 0x600]), obedientVmm)).toMatchObject({
      reasons: [], relocations: [{ name: 'VSEC', physical: 0x600, guest: 0x400 }] });
  });

  it('are told apart by what their vendor calls them: another structure is not behind it', () => {
    expect(verdict(two, vendors([1, 0x400], [2, 0x500]), obedientVmm)).toMatchObject({
      reasons: [{ kind: 'capability-missing', offset: 0x500 }], hidden: [{ offset: 0x500 }] });
    const designated = (vendor: number, id: number): ConfigSpaceParts => ({ extended: [{ id: 0x23, offset: 0x100,
      body: [...u16(vendor), ...u16(0x0100), ...u16(id), ...u16(0)] }] });
    const cxl = documentOf(surveyOf({ ...model, ...designated(0x1e98, 0) }), { wanted: [] });
    expect(kinds(verdict(cxl, designated(0x1e98, 0), obedientVmm))).toEqual([]);
    for (const other of [designated(0x8086, 0), designated(0x1e98, 8)]) {
      expect(kinds(verdict(cxl, other, obedientVmm))).toEqual(['capability-missing']);
    }
  });
});

describe('a header that means nothing', () => {
  const headless: ConfigSpaceParts = { extended: extended.slice(1) };
  const leading = documentOf(surveyOf({ ...model, ...headless }), { wanted: [] });

  it('at 0x100 needs nothing behind it, and is what stays where a VMM takes the first one away', () => {
    expect(verdict(leading, headless, vmm({ hides: [0] })).verdict).toBe('exact');
    expect(verdict(leading, {}, vmm({ hides: [1] }))).toMatchObject({
      reasons: [], hidden: [{ name: 'AER', offset: 0x100 }] });
    expect(verdict(leading, {}, obedientVmm).reasons).toEqual([]);
    expect(verdict(leading, {}, plain).reasons).toMatchObject([{ kind: 'capability-extra', name: 'AER' }]);
  });
});

describe('a length nobody tells', () => {
  // Alternate Protocol: its length is not confirmed, so it reaches to its neighbour.
  const open = (next: number): ConfigSpaceParts =>
    ({ extended: [{ id: 0x01, offset: 0x100 }, { id: 0x2b, offset: 0x400 }, { id: 0x18, offset: next }] });

  it('is not shorter because a neighbour is nearer', () => {
    const layout = documentOf(surveyOf({ ...model, ...open(0x500) }), { wanted: [] });
    const nearer = { extended: [...open(0x500).extended ?? [], { id: 0x1e, offset: 0x480 }] };
    expect(kinds(verdict(layout, nearer, obedientVmm))).toEqual([]);
  });

  it('is a difference where the layout knew it', () => {
    const vendor = (length: number): ConfigSpaceParts =>
      ({ extended: [{ id: 0x0b, offset: 0x100, body: u32(((length << 20) | 1) >>> 0) }, { id: 0x18, offset: 0x110 }] });
    const layout = documentOf(surveyOf({ ...model, extended: [{ id: 0x0b, offset: 0x100, body: u32(0x02000001) },
      { id: 0x18, offset: 0x200 }] }), { wanted: [] });
    expect(kinds(verdict(layout, vendor(0), obedientVmm))).toContain('capability-shape-differs');
  });
});

describe('where the hardware has something', () => {
  it.each<[string, ConfigSpaceParts, ConfigSpaceParts, string]>([
    ['the MSI-X table', { standard: [express(), { id: 0x11, offset: 0xa0, body: [...u16(7), ...u32(0x2000)] }] },
      { standard: [express(), { id: 0x11, offset: 0xa0, body: [...u16(7), ...u32(0x3000)] }] }, 'table'],
    ['the first VF', { extended: [{ id: 0x10, offset: 0x100, body: [...new Array<number>(16).fill(0), 1] }] },
      { extended: [{ id: 0x10, offset: 0x100, body: [...new Array<number>(16).fill(0), 2] }] }, 'firstVfOffset'],
  ])('no VMM can show it elsewhere: %s', (_, one, other, field) => {
    const layout = documentOf(surveyOf({ ...model, ...one }), { wanted: [] });
    for (const by of [plain, obedientVmm]) {
      expect(verdict(layout, other, by).reasons).toContainEqual(expect.objectContaining({
        kind: 'register-differs', field }));
    }
  });
});

describe('the VMM of the destination', () => {
  const named = (layout: LayoutDocument, name: string, iommu: IommuFacts | null = wide): Verdict =>
    migrationVerdict(layout, { survey: here, iommu, vmm: abilitiesOf(name) });

  it('O4: that loads no state cannot, whatever it shows', () => {
    expect(named(bare, 'openvmm').reasons).toEqual([{ kind: 'vmm-cannot-migrate', vmm: 'openvmm', rule: 'O4' }]);
    expect(explainVerdict(named(bare, 'openvmm'))[1]).toBe(
      'because openvmm saves and loads no state of a device (O4: writes go to the hardware; no state can be saved)');
  });

  it('C18: that forgets what it hid shows it', () => {
    const family = { extended: [...extended, { id: 0x10, offset: 0x500 }] };
    const destination = surveyOf({ ...model, ...family });
    const by = (name: string): Verdict =>
      migrationVerdict(bare, { survey: destination, iommu: wide, vmm: abilitiesOf(name) });
    expect(by('cloud-hypervisor-old').reasons).toMatchObject([{ kind: 'capability-extra', rule: 'C18' }]);
    expect(explainVerdict(by('cloud-hypervisor-old'))[1]).toBe(
      'because the destination also shows SRIOV at 0x500 (C18: nothing compares the hardware on restore)');
    expect(by('cloud-hypervisor-new').reasons).toEqual([]);
  });

  it('C9: that takes the link away with PASID cannot show a function that has one', () => {
    const atTheEnd = documentOf(here, { policy: pinnedAt(0xff8) });
    expect(named(atTheEnd, 'cloud-hypervisor-new').reasons).toEqual(expect.arrayContaining([
      expect.objectContaining({ kind: 'register-weaker', field: 'maximumLinkWidth', layout: 16, destination: 0,
        rule: 'C9' }),
      expect.objectContaining({ kind: 'bytes-differ', offset: 0x62, layout: '02', destination: '92', rule: 'C9' })]));
    expect(named(bare, 'cloud-hypervisor-new').verdict).toBe('exact');
  });

  it('C17: that loads its own patches shows what it made, without a link', () => {
    const express16 = express({ offset: 0x60, portType: 9, lanes: 0, endEndTlpPrefix: true });
    const shown = surveyOf({ ...model, bytes: { 0x6c: [0] },
      standard: (model.standard ?? []).map((one) => (one.id === 0x10 ? express16 : one)) });
    const layout = documentOf(shown, { policy: pinnedAt(0xff8) });
    expect(named(layout, 'cloud-hypervisor-new')).toMatchObject({ verdict: 'exact', reasons: [] });
  });

  it('C4: that finds no PM hides nothing and makes nothing', () => {
    const parts = { ...model, standard: (model.standard ?? []).filter(({ id }) => id !== 1),
      extended: [...extended, { id: 0x10, offset: 0x500 }] };
    const by = (wanted: LayoutRequest['wanted']): readonly string[] => kinds(migrationVerdict(
      documentOf(surveyOf(parts), { wanted, policy: pinnedAt(0xff8) }),
      { survey: surveyOf(parts), iommu: wide, vmm: abilitiesOf('cloud-hypervisor-new') }));
    expect([by([]), by([wholePasid])]).toEqual([[], ['vmm-cannot-place-it']]);
  });

  it('Q22: compares what vendors wrote, unless it is told to skip that', () => {
    const vendor = (byte: number): ConfigSpaceParts =>
      ({ standard: [...model.standard ?? [], { id: 9, offset: 0xd0, body: [0x10, byte] }] });
    const layout = documentOf(surveyOf({ ...model, ...vendor(1) }), { wanted: [] });
    const by = (name: string): Verdict => verdict(layout, vendor(2), abilitiesOf(name));
    expect(by('qemu-7.2').reasons).toMatchObject([{ kind: 'bytes-differ', why: 'vmm-compares-them', offset: 0xd3 }]);
    expect([by('qemu-10.0'), by('cloud-hypervisor-new')]).toMatchObject([
      { verdict: 'consistent', differences: [{ offset: 0xd3 }] }, { verdict: 'consistent' }]);
  });

  it('of which it is not known how it loads a device is named as not checked', () => {
    expect(named(bare, 'crosvm').unchecked).toEqual(['how crosvm loads a device']);
  });

  it('that makes PASID of itself is named where the layout has none', () => {
    const implicit = ['PASID at 0xff8, if the vIOMMU offers it'];
    expect([named(bare, 'qemu-11.0').unchecked, named(bare, 'cloud-hypervisor-new', null).unchecked])
      .toEqual([implicit, implicit]);
    expect(named(bare, 'qemu-11.0', { ...wide, maxPasidLog2: 0 }).unchecked).toEqual([]);
    expect([named(withPasid, 'qemu-11.0').unchecked, named(bare, 'qemu-10.0').unchecked]).toEqual([[], []]);
  });

  it('Q7, C3: has a setting and places of its own for the clique', () => {
    const gpu: ConfigSpaceParts = { ...model, vendorId: 0x10de, classCode: 0x030200 };
    const layout = documentOf(surveyOf(gpu), { wanted: [{ name: 'nvidia-clique', registers: { clique: 11 } }],
      policy: policy({ strategies: ['table'] }) });
    const by = (name: string): Verdict =>
      migrationVerdict(layout, { survey: surveyOf(gpu), iommu: wide, vmm: abilitiesOf(name) });
    expect(by('qemu-7.2')).toMatchObject({ verdict: 'obeys', knobs: [
      { capability: 'nvidia-clique', knob: 'x-nv-gpudirect-clique', offset: 0xc8, value: 11 }] });
    expect(by('cloud-hypervisor-old').reasons).toMatchObject([
      { kind: 'offset-would-move', layout: 0xc8, destination: 0xd4 }]);
    expect(kinds(by('crosvm'))).toEqual(['vmm-cannot-place-it']);
  });
});

describe('a weaker destination', () => {
  it.each<[string, ConfigSpaceParts, string, number, number]>([
    ['link width', { standard: [model.standard?.[0] ?? express(), express({ offset: 0x60, lanes: 8,
      endEndTlpPrefix: true }), { id: 0x11, offset: 0xa0, body: u16(0x1f) }] }, 'maximumLinkWidth', 16, 8],
    ['TLP prefixes', { standard: [model.standard?.[0] ?? express(), express({ offset: 0x60, lanes: 16 }),
      { id: 0x11, offset: 0xa0, body: u16(0x1f) }] }, 'endEndTlpPrefixSupported', 1, 0],
    ['vectors', { standard: [model.standard?.[0] ?? express(), express({ offset: 0x60, lanes: 16,
      endEndTlpPrefix: true }), { id: 0x11, offset: 0xa0, body: u16(0x0f) }] }, 'tableSize', 31, 15],
  ])('in %s cannot, whatever its VMM does', (_, parts, field, layout, destination) => {
    for (const by of [plain, obedientVmm]) {
      expect(verdict(bare, parts, by).reasons).toContainEqual(
        expect.objectContaining({ kind: 'register-weaker', field, layout, destination }));
    }
  });

  it('in the IOMMU cannot: width, permissions, ATS', () => {
    const narrow: IommuFacts = { maxPasidLog2: 16, exec: false, priv: true, atsSupported: true };
    expect(verdict(withPasid, {}, knobs, narrow).reasons).toMatchObject([
      { kind: 'register-weaker', field: 'executeSupported of the IOMMU', layout: 1, destination: 0 },
      { kind: 'register-weaker', field: 'maxPasidWidth of the IOMMU', layout: 20, destination: 16 }]);
    const unknown = migrationVerdict(withPasid, { survey: here, iommu: null, vmm: knobs });
    expect(unknown).toMatchObject({ verdict: 'obeys', unchecked: ['iommu'] });
  });

  it('in the IOMMU cannot, even where the hardware has the capability that is made up', () => {
    const own = { extended: [{ id: 0x1b, offset: 0x100, body: u32(0x1406) }] };
    const layout = documentOf(surveyOf({ ...model, ...own }), { policy: policy({ strategies: ['physical'] }) });
    const narrow: IommuFacts = { maxPasidLog2: 16, exec: true, priv: true, atsSupported: true };
    expect(verdict(layout, own, obedientVmm, narrow).reasons).toMatchObject([
      { kind: 'register-weaker', field: 'maxPasidWidth of the IOMMU', layout: 20, destination: 16 }]);
    expect(verdict(layout, { extended: [{ id: 0x1b, offset: 0x100, body: [...u16(0x1406), ...u16(5)] }] },
      obedientVmm)).toMatchObject({ reasons: [], differences: [] });
  });

  it('in ATS of the IOMMU nobody told of is named as not checked', () => {
    const ats = documentOf(surveyOf({ ...model, extended: [] }), { wanted: [{ name: 'ats', registers: {} }] });
    expect(migrationVerdict(ats, { survey: here, iommu: null, vmm: obedientVmm }).unchecked).toEqual(['iommu']);
  });

  it('is not one because functions beside it are not there', () => {
    const layout = documentOf(surveyOf({ ...model, headerType: 0x80 }), { wanted: [] });
    expect(verdict(layout, {}, obedientVmm).reasons).toEqual([]);
    expect(kinds(verdict(layout, {}, plain))).toEqual(['identity-differs']);
    expect(kinds(verdict(layout, { headerType: 1, classCode: 0x020000 }, obedientVmm))).toContain('identity-differs');
  });

  it('in config size, in identity, in the kind of a BAR, cannot', () => {
    expect(kinds(verdict(bare, { size: 256, extended: [] }, obedientVmm))).toEqual(['config-size-smaller']);
    expect(kinds(verdict(bare, { deviceId: 1 }, plain))).toEqual(['identity-differs']);
    expect(verdict(bare, { deviceId: 1 }, obedientVmm).verdict).toBe('obeys');
    expect(kinds(verdict(bare, { vendorId: 1 }, obedientVmm))).toEqual(['identity-differs']);
    expect(kinds(verdict(bare, { bytes: { 0x10: [0x0c] } }, plain))).toEqual(['bar-differs']);
    expect(kinds(verdict(bare, { capturedBytes: 0x800 }, plain))).toEqual(['function-unfit']);
  });

  it('is explained in sentences', () => {
    const bars = (first: number): ConfigSpaceParts => ({ bytes: { 0x10: u32(first) } });
    expect(explainVerdict(verdict(documentOf(surveyOf({ ...model, ...bars(0xe0000004) }), { wanted: [] }),
      bars(0xe000000c), plain))).toEqual(['cannot', 'because BAR 0 is of kind 0x4, there of kind 0xc',
      'not checked: the size of BAR 0, which config space does not tell']);
    expect(explainVerdict(verdict(withPasid, { extended: extended.slice(0, 1) }, plain))).toEqual([
      'cannot', 'because ATS at 0x200 has no physical one behind it',
      'because LTR at 0x300 has no physical one behind it',
      'because the VMM has no way to put PASID at 0x400', 'because 0x204..0x204 read 20, there 00',
    ]);
  });
});
