import { vfioView } from '@cadastre/config-space';
import { buildConfigSpace, type ConfigSpaceParts, express, u32 } from '@cadastre/config-space/testing';
import { profileNamed, settingsFor } from '@cadastre/vmm-profiles';
import { layoutDocument } from './make-layout-document.js';
import { placementsOf } from './placements-of.js';
import { type LayoutRequest } from './plan-layout.js';
import { pinnedAt, planned, policy, surveyOf, wholePasid } from './testing.js';

const card: ConfigSpaceParts = {
  standard: [{ id: 1, offset: 0x40, body: [3, 0, 8, 0] }, express({ offset: 0x60 })],
  extended: [{ id: 0x01, offset: 0x100 }, { id: 0x18, offset: 0x200 }],
};
const documentOf = (parts: ConfigSpaceParts, change: Partial<LayoutRequest> = {}) => {
  const over = surveyOf(parts);
  const { layout, guestConfigSpace } = planned(over, change);
  return layoutDocument(over, layout, guestConfigSpace);
};
const placesOf = ({ wanted }: ReturnType<typeof placementsOf>): readonly string[] =>
  wanted.map(({ name, offset }) => `${name}@${offset.toString(16)}`);

describe('what a VMM has to make of a layout', () => {
  it('is what the hardware has not, in both spaces, and where its standard list is', () => {
    const gpu = { ...card, vendorId: 0x10de, classCode: 0x030200 };
    const layout = documentOf(gpu, { policy: pinnedAt(0x400, { strategies: ['pinned', 'table'] }),
      wanted: [wholePasid, { name: 'nvidia-clique', registers: { clique: 7 } }] });
    expect(placementsOf(layout)).toEqual({ starts: [0x40, 0x60],
      pasid: { widthBits: 20, execute: true, privileged: true }, wanted: [
      { space: 'standard', id: 9, name: 'nvidia-clique', offset: 0xc8, length: 8, value: 7 },
      { space: 'extended', id: 0x1b, name: 'PASID', offset: 0x400, length: 8, value: null }] });
    const qemu = profileNamed('qemu-11.0');
    if (!qemu.ok) throw new Error('no qemu-11.0');
    const { wanted, starts } = placementsOf(layout);
    expect(settingsFor(wanted, qemu.value, starts).settings)
      .toEqual({ 'x-nv-gpudirect-clique': '7', 'x-vpasid-cap-offset': '0x400' });
  });

  it('is nothing where nothing was added', () => {
    expect(placementsOf(documentOf(card, { wanted: [] }))).toMatchObject({ wanted: [], pasid: null });
  });

  it('is a physical PASID that the host kernel hides, and not one that it shows', () => {
    const parts = { ...card, extended: [...card.extended ?? [], { id: 0x1b, offset: 0x2d0, body: u32(0x1406) }] };
    const layout = documentOf(parts, { policy: policy({ strategies: ['physical'] }) });
    const seenBy = (flavour: 'upstream' | 'nvidia') =>
      placementsOf(layout, vfioView(buildConfigSpace(parts), { release: '6.12', flavour }).space);
    expect([placesOf(seenBy('upstream')), placesOf(seenBy('nvidia')), placesOf(placementsOf(layout))])
      .toEqual([['PASID@2d0'], [], []]);
  });

  it('is not what the hardware of another host already has at that place', () => {
    const layout = documentOf(card, { wanted: [{ name: 'dsn', registers: {} }], policy: policy() });
    expect(placesOf(placementsOf(layout))).toEqual(['DSN@134']);
    const other = buildConfigSpace({ ...card, extended: [...card.extended ?? [], { id: 3, offset: 0x134 }] });
    expect(placementsOf(layout, other).wanted).toEqual([]);
  });
});
