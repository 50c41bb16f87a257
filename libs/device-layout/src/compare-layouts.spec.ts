import { type ConfigSpaceParts, express, u32 } from '@cadastre/config-space/testing';
import { compareLayouts } from './compare-layouts.js';
import { layoutDocument } from './make-layout-document.js';
import { type LayoutRequest } from './plan-layout.js';
import { pinnedAt, planned, surveyOf } from './testing.js';

const model: ConfigSpaceParts = {
  standard: [express({ offset: 0x60 })], extended: [{ id: 0x01, offset: 0x100 }, { id: 0x18, offset: 0x200 }] };
const documentOf = (parts: Partial<ConfigSpaceParts> = {}, change: Partial<LayoutRequest> = {}) => {
  const over = surveyOf({ ...model, ...parts });
  const { layout, guestConfigSpace } = planned(over, { wanted: [], ...change });
  return layoutDocument(over, layout, guestConfigSpace);
};
const a = documentOf();
const kinds = (b: ReturnType<typeof documentOf>): readonly string[] => compareLayouts(a, b).map(({ kind }) => kind);

describe('two layouts', () => {
  it('that are the same have no difference', () => {
    expect(compareLayouts(a, documentOf())).toEqual([]);
  });

  it('are compared field by field, capability by capability, byte by byte', () => {
    expect(compareLayouts(a, documentOf({ revision: 2 }))).toEqual([
      { kind: 'identity', field: 'revision', a: 0, b: 2 },
      { kind: 'bytes', offset: 8, length: 1, compare: 'identical', a: '00', b: '02' }]);
    expect(kinds(documentOf({ extended: model.extended?.slice(0, 1) ?? [] }))).toContain('capability-gone');
    expect(kinds(documentOf({ extended: [...model.extended ?? [], { id: 0x0f, offset: 0x300 }] })))
      .toContain('capability-new');
    expect(compareLayouts(a, documentOf({ extended: [{ id: 1, offset: 0x100 }, { id: 0x18, offset: 0x300 }] })))
      .toContainEqual({ kind: 'capability-moved', space: 'extended', id: 0x18, name: 'LTR', a: 0x200, b: 0x300 });
    expect(compareLayouts(a, documentOf({ extended: [{ id: 1, offset: 0x100, version: 2 },
      { id: 0x18, offset: 0x200 }] }))).toContainEqual({ kind: 'capability-differs', space: 'extended', id: 1,
      name: 'AER', offset: 0x100, member: 'version', a: 1, b: 2 });
    expect(kinds(documentOf({ size: 256, extended: [] }))).toContain('config-size');
  });

  it('with two capabilities of a kind: each is compared with one', () => {
    const vendors = (...offsets: readonly number[]) => documentOf({ extended: [{ id: 1, offset: 0x100 },
      ...offsets.map((offset) => ({ id: 0x0b, offset, body: u32(0x01000001) }))] });
    const lists = (one: ReturnType<typeof documentOf>, other: ReturnType<typeof documentOf>): readonly string[] =>
      compareLayouts(one, other).map(({ kind }) => kind).filter((kind) => kind.startsWith('capability'));
    expect(lists(vendors(0x400, 0x600), vendors(0x600))).toEqual(['capability-gone']);
    expect(lists(vendors(0x600), vendors(0x400, 0x600))).toEqual(['capability-new']);
    expect(lists(vendors(0x400, 0x600), vendors(0x600, 0x800))).toEqual(['capability-moved']);
  });

  it('that walk the same headers in another order differ', () => {
    const one = documentOf({ extended: [{ id: 1, offset: 0x100 }, { id: 0x18, offset: 0x200 }, { id: 15,
      offset: 0x300 }] });
    const other = documentOf({ extended: [{ id: 1, offset: 0x100 }, { id: 15, offset: 0x300 }, { id: 0x18,
      offset: 0x200 }] });
    expect(compareLayouts(one, other)).toContainEqual(
      { kind: 'list-order', space: 'extended', a: [0x100, 0x200, 0x300], b: [0x100, 0x300, 0x200] });
  });

  it('that read alike may still behave otherwise', () => {
    const own = { extended: [{ id: 1, offset: 0x100 }, { id: 0x1b, offset: 0x200, body: u32(0x1406) }] };
    const synthetic = documentOf({ extended: [{ id: 1, offset: 0x100 }] }, {
      wanted: [{ name: 'pasid', registers: { executeSupported: 1, privilegedSupported: 1, maxPasidWidth: 20 } }],
      policy: pinnedAt(0x200) });
    const differences = compareLayouts(documentOf(own), synthetic);
    expect(new Set(differences.map(({ kind }) => kind))).toEqual(new Set(['behaviour']));
  });
});
