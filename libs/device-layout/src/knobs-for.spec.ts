import { readFileSync } from 'node:fs';
import { readLspciText, survey, type Survey } from '@cadastre/config-space';
import { type ConfigSpaceParts, express } from '@cadastre/config-space/testing';
import { profileNamed, type VmmProfile } from '@cadastre/vmm-profiles';
import { hardwareBehind } from './hardware-behind.js';
import { documentAlone, type KnobsAnswer, knobsFor, type LayoutHost } from './knobs-for.js';
import { type LayoutDocument, readLayoutDocument, writeLayoutDocument } from './layout-document.js';
import { type LayoutOperation } from './layout-operation.js';
import { layoutDocument } from './make-layout-document.js';
import { fit } from './persona.js';
import { type LayoutRequest } from './plan-layout.js';
import { pinnedAt, planned, policy, surveyOf, wholePasid } from './testing.js';

const card: ConfigSpaceParts = {
  deviceId: 0x1041, standard: [{ id: 1, offset: 0x40, body: [3, 0, 8, 0] }, express({ offset: 0x60 })],
  extended: [{ id: 0x01, version: 2, offset: 0x100 }, { id: 0x03, offset: 0x200 }],
};
const replaced: LayoutOperation = { kind: 'replace-identity', field: 'deviceId', value: 0x1234, reason: 'v1' };
const hide = (id: number): LayoutOperation =>
  ({ kind: 'hide-capability', space: 'extended', id, offset: null, reason: 'policy' });

/** As it comes back from a file. */
function documentOf(over: Survey, change: Partial<LayoutRequest> = {}): LayoutDocument {
  const { layout, guestConfigSpace } = planned(over, { wanted: [], ...change });
  const read = readLayoutDocument(writeLayoutDocument(layoutDocument(over, layout, guestConfigSpace)));
  if (read.ok) return read.value;
  throw new Error(read.refusal.kind);
}
function profile(name: string): VmmProfile {
  const found = profileNamed(name);
  if (found.ok) return found.value;
  throw new Error(name);
}
function answer(
  layout: LayoutDocument, name: string, physical: Survey | null, change: Partial<LayoutHost> = {},
): KnobsAnswer {
  return knobsFor(layout, profile(name), { ...documentAlone, physical, ...change });
}
const told = ({ unmet }: KnobsAnswer): unknown => unmet.map(({ kind, offset }) => [kind, offset]);
const samples = new URL('../../../samples/', import.meta.url);
function sample(name: string): Survey {
  const read = readLspciText(readFileSync(new URL(`${name}.lspci`, samples), 'utf8'));
  const [first] = read.ok ? read.value : [];
  if (!first) throw new Error(name);
  return survey(first.space);
}

describe('what to set so that a whole layout is shown', () => {
  const over = surveyOf(card);

  it('is the ID it replaces, and no setting hides AER: QEMU cannot obey', () => {
    const layout = documentOf(over, { operations: [replaced, hide(1)] });
    const known = answer(layout, 'qemu-11.0', over);
    expect(known).toMatchObject({ verdict: 'cannot-obey', settings: { 'x-pci-device-id': '0x1234' } });
    expect(told(known)).toEqual([['shown-unasked', 0x100]]);
    expect(known.unmet[0]?.says).toMatch(/ID 0x1 is shown, though the layout hides it/);
    expect(known.configuration[0]?.text).toContain('x-pci-device-id=0x1234');
    const unknown = answer(layout, 'qemu-11.0', null);
    expect(unknown).toMatchObject({ verdict: 'cannot-obey', settings: { 'x-pci-device-id': '0x1234' } });
    expect(told(unknown)).toEqual([['hardware-not-told', 0x100]]);
  });

  it('is one setting where an ID is all that was replaced, with and without the hardware', () => {
    const layout = documentOf(over, { operations: [replaced] });
    for (const physical of [over, null]) {
      expect(answer(layout, 'qemu-7.2', physical)).toMatchObject({
        verdict: 'obeys-with-knob', settings: { 'x-pci-device-id': '0x1234' }, unmet: [] });
      expect(answer(layout, 'generic', physical)).toMatchObject({ verdict: 'exact' });
      expect(answer(layout, 'crosvm', physical)).toMatchObject({ verdict: 'cannot-obey' });
    }
    expect(told(answer(layout, 'crosvm', null))).toEqual([['hardware-not-told', 2]]);
    expect(answer(layout, 'crosvm', over).unmet).toMatchObject([{ kind: 'operation-not-obeyed', offset: 2,
      says: 'replace-identity: 41 10 instead of 34 12' }]);
  });

  it('is nothing for igb\'s PF as the hardware has it: no VMM shows ARI and SR-IOV', () => {
    const igb = sample('igb-pf');
    for (const name of ['qemu-7.2', 'qemu-11.0', 'cloud-hypervisor-new', 'openvmm', 'crosvm']) {
      const given = answer(documentOf(igb), name, igb);
      expect([name, given.verdict]).toEqual([name, 'cannot-obey']);
      const missing = given.unmet.filter(({ kind }) => kind === 'not-shown');
      expect(missing.map(({ offset }) => offset)).toEqual([0x150, 0x160]);
    }
    const without = documentOf(igb, { operations: [hide(0x0e), hide(0x10)] });
    expect(answer(without, 'qemu-11.0', igb)).toMatchObject({ verdict: 'exact', unmet: [] });
    expect(answer(documentOf(igb), 'generic', igb)).toMatchObject({ verdict: 'exact', unmet: [] });
  });

  it('is what the hardware at hand needs: a layout of another model keeps its IDs', () => {
    const layout = documentOf(over, { wanted: [wholePasid], policy: pinnedAt(0x300) });
    const other = surveyOf({ ...card, deviceId: 0x2222 });
    expect(answer(layout, 'qemu-11.0', other)).toMatchObject({ verdict: 'obeys-with-knob',
      settings: { 'x-vpasid-cap-offset': '0x300', 'x-pci-device-id': '0x1041' } });
  });

  it('is judged by bytes: a register nobody replaces is read as the hardware has it', () => {
    const operations = [{ kind: 'replace-register', offset: 0x64, mask: 0x7, value: 0x5, reason: 'smaller' }] as const;
    expect(answer(documentOf(over, { operations }), 'qemu-11.0', over)).toMatchObject({ verdict: 'cannot-obey',
      unmet: [{ kind: 'operation-not-obeyed', offset: 0x64 }] });
  });

  it('of a persona is every byte in which the hardware is another', () => {
    const layout = documentOf(over, { wanted: [wholePasid], policy: pinnedAt(0x300) });
    const persona = { name: 'nic', version: 1, layout };
    const later = surveyOf({ ...card, revision: 2 });
    const iommu = { maxPasidLog2: 20, exec: true, priv: true, atsSupported: true };
    const { worn } = fit(persona, { survey: later, iommu });
    if (!worn) throw new Error('it does not fit');
    expect(answer(worn.layout, 'generic', later)).toMatchObject({ verdict: 'exact' });
    expect(answer(worn.layout, 'qemu-11.0', later)).toMatchObject({ verdict: 'cannot-obey',
      settings: { 'x-vpasid-cap-offset': '0x300' }, unmet: [{ kind: 'operation-not-obeyed', offset: 8 }] });
  });

  it('takes the width of the IOMMU that is told, else what the layout says', () => {
    const layout = documentOf(over, { wanted: [wholePasid], policy: pinnedAt(0x300) });
    expect(answer(layout, 'qemu-11.0', over)).toMatchObject({ verdict: 'obeys-with-knob', unmet: [] });
    const narrow = { widthBits: 8, execute: true, privileged: true };
    const given = answer(layout, 'qemu-11.0', over, { pasid: narrow });
    expect(given.unmet).toMatchObject([{ kind: 'bytes-differ', offset: 0x305, rule: 'Q19' }]);
    expect(given.configuration[0]?.text).toContain('ssidsize=8');
  });

  it('hears what is set anyway', () => {
    const ats = surveyOf({ ...card, extended: [...card.extended ?? [], { id: 0x0f, offset: 0x220, body: [0x1f] }] });
    const given = answer(documentOf(ats), 'qemu-11.1', ats, { settings: { ats: 'off' } });
    expect(given.unmet).toMatchObject([{ kind: 'not-shown', offset: 0x220, rule: 'observed 11' }]);
    expect(answer(documentOf(ats), 'qemu-11.1', ats, { settings: { ats: 'maybe' } }).unmet)
      .toMatchObject([{ kind: 'does-not-start', rule: 'settings' }]);
  });

  it('of a VF has the IDs its PF tells', () => {
    const [pf, vf] = [sample('igb-pf'), sample('igb-vf')];
    const hidden = [0x0e].map(hide);
    expect(answer(documentOf(vf, { operations: hidden }), 'qemu-11.0', vf, { role: 'vf', family: pf }))
      .toMatchObject({ verdict: 'exact', settings: {}, unmet: [] });
  });

  it('says so where a guest walks what is there in another order', () => {
    const back = surveyOf({ ...card, extended: [{ id: 0x01, version: 2, offset: 0x100 }, { id: 3, offset: 0x400 },
      { id: 0x0d, offset: 0x200 }] });
    expect(answer(documentOf(back), 'crosvm', back).unmet).toMatchObject([{ kind: 'order-differs', offset: 0x400,
      rule: 'X2', says: 'a guest walks 100 200 400 instead of 100 400 200' }]);
    expect(answer(documentOf(back), 'qemu-11.0', back)).toMatchObject({ verdict: 'exact' });
  });

  it('says that a conventional bus shows no extended space', () => {
    expect(answer(documentOf(over), 'qemu-11.0', over, { port: 'conventional-root' }).unmet).toMatchObject([
      { kind: 'not-shown', offset: 0x100, rule: 'Q9' }, { kind: 'not-shown', offset: 0x200, rule: 'Q9' }]);
  });

  it('promises nothing of a list that is not known', () => {
    const own = surveyOf({ ...card, extended: [...card.extended ?? [], { id: 0x1b, offset: 0x300, body: [0, 0x10] }] });
    const nvidia = { release: '6.12', flavour: 'nvidia' } as const;
    expect(answer(documentOf(own), 'cloud-hypervisor-new', own, { kernel: nvidia }).unmet)
      .toMatchObject([{ kind: 'not-known', rule: 'reading E1', confidence: 'U' }]);
  });
});

describe('the hardware behind a document', () => {
  it('is the document without what it adds', () => {
    const over = surveyOf(card);
    const layout = documentOf(over, { wanted: [wholePasid], policy: pinnedAt(0x300) });
    expect(hardwareBehind(layout).space.toBytes()).toEqual(over.space.toBytes());
  });

  it('has no lists where all of them was added', () => {
    const bare = surveyOf({ vendorId: 0x10de, classCode: 0x030000, standard: [express()] });
    const layout = documentOf(bare, { wanted: [wholePasid], policy: policy() });
    expect(hardwareBehind(layout).space.toBytes()).toEqual(bare.space.toBytes());
  });
});
