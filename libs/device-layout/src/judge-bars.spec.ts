import { type ConfigSpaceParts, express, u32 } from '@cadastre/config-space/testing';
import { obedientVmm, type VmmAbilities } from '@cadastre/vmm-profiles';
import { type LayoutDocument } from './layout-document.js';
import { layoutDocument } from './make-layout-document.js';
import { migrationVerdict } from './migration-verdict.js';
import { planned, surveyOf } from './testing.js';
import { type Verdict } from './verdict.js';

const plain: VmmAbilities = { ...obedientVmm, placing: 'none', makes: [] };
const model: ConfigSpaceParts = { vendorId: 0x1234, deviceId: 0x5678, extended: [{ id: 0x01, offset: 0x100 }] };
const verdict = (layout: LayoutDocument, parts: ConfigSpaceParts, by: VmmAbilities): Verdict =>
  migrationVerdict(layout, { survey: surveyOf({ ...model, ...parts }), iommu: null, vmm: by });

describe('BARs', () => {
  const bars = (...values: readonly number[]): ConfigSpaceParts =>
    ({ bytes: { 0x10: values.flatMap((one) => u32(one)) } });
  const of = (parts: ConfigSpaceParts): LayoutDocument => {
    const over = surveyOf({ ...model, ...parts });
    const { layout, guestConfigSpace } = planned(over, { wanted: [] });
    return layoutDocument(over, layout, guestConfigSpace);
  };

  it.each<[string, readonly number[], readonly number[], readonly (readonly [bar: number, a: number, b: number])[]]>([
    ['I/O for memory', [0xe0000000], [0xe001], [[0, 0, 1]]],
    ['64 bits for 32', [0xe0000000], [0xe0000004], [[0, 0, 4]]],
    ['prefetchable for not', [0xe0000004], [0xe000000c], [[0, 4, 0xc]]],
    ['the same on an odd BAR', [0, 0xe0000000], [0, 0xe0000008], [[1, 0, 8]]],
    ['a 64-bit BAR that begins at an odd one', [0, 0xe0000004], [0, 0xe000000c], [[1, 4, 0xc]]],
    ['other addresses', [0xe0000004, 0x7, 0xe001], [0xf0000004, 0xc, 0xf001], []],
  ])('of another kind are told: %s', (_, here0, there, expected) => {
    for (const by of [plain, obedientVmm]) {
      expect(verdict(of(bars(...here0)), bars(...there), by).reasons).toEqual(expected.map(([bar, a, b]) =>
        ({ kind: 'bar-differs', of: 'function', bar, layout: a, destination: b })));
    }
  });

  it('of a bridge are two', () => {
    const bridge = (first: number): ConfigSpaceParts =>
      ({ headerType: 1, classCode: 0x060400, bytes: { 0x10: [...u32(0), ...u32(first), ...u32(0xff0401)] } });
    expect(verdict(of(bridge(8)), { ...bridge(0), bytes: { 0x10: [...u32(0), ...u32(0), ...u32(0x20200)] } }, plain)
      .reasons).toMatchObject([{ kind: 'bar-differs', bar: 1 }]);
  });

  it('of VFs are told from the SR-IOV capability', () => {
    const family = (kind: number): ConfigSpaceParts =>
      ({ extended: [{ id: 0x10, offset: 0x100, body: [...new Array<number>(0x20).fill(0), ...u32(kind)] }] });
    expect(verdict(of(family(0xc)), family(4), plain).reasons).toEqual([
      { kind: 'bar-differs', of: 'vf', bar: 0, layout: 0xc, destination: 4 }]);
  });

  const resizable = (id: number, size: number): ConfigSpaceParts =>
    ({ extended: [{ id, offset: 0x100, body: [...u32(0xffff0), ...u32(size << 8 | 1 << 5 | 2)] }] });
  it.each([['function', 0x15], ['vf', 0x24]] as const)('of a %s that can be resized have a size', (owner, id) => {
    const layout = of(resizable(id, 8));
    const differs = (destination: number): object =>
      ({ kind: 'bar-size-differs', of: owner, bar: 2, layout: 2 ** 28, destination });
    for (const by of [plain, obedientVmm]) {
      expect(verdict(layout, resizable(id, 7), by).reasons).toContainEqual(differs(2 ** 27));
    }
    expect(verdict(layout, resizable(id, 9), plain).reasons).toContainEqual(differs(2 ** 29));
    expect(verdict(layout, resizable(id, 9), obedientVmm).reasons).toEqual([]);
    expect(verdict(layout, resizable(id, 8), plain).verdict).toBe('exact');
  });

  it.each([0, 7])('of which a list of %p is told have none', (count) => {
    const odd = (size: number): ConfigSpaceParts =>
      ({ extended: [{ id: 0x15, offset: 0x100, body: [...u32(0), ...u32(size << 8 | count << 5)] }] });
    expect(verdict(of(odd(8)), odd(7), plain).reasons.filter(({ kind }) => kind === 'bar-size-differs')).toEqual([]);
  });

  it('that are where they are for good have a size', () => {
    // 64-bit base and last offset: four DWORDs behind the first, entry enabled, for BAR 1 and for BAR 0 of the VFs.
    const entry = (indicator: number, upper: number): readonly number[] => [...u32((0x80000004 | indicator << 4) >>> 0),
      ...u32(0x43000002), ...u32(0x3fffffff), ...u32(8), ...u32(upper)];
    const allocated = (upper: number, vf: number): ConfigSpaceParts => ({ standard: [
      express({ offset: 0x60 }), { id: 0x14, offset: 0xc0, body: [2, 0, ...entry(1, upper), ...entry(9, vf)] }] });
    expect(verdict(of(allocated(4, 1)), allocated(2, 0), obedientVmm).reasons).toEqual([
      { kind: 'bar-size-differs', of: 'function', bar: 1, layout: 4 * 2 ** 32 + 2 ** 30, destination:
        2 * 2 ** 32 + 2 ** 30 },
      { kind: 'bar-size-differs', of: 'vf', bar: 0, layout: 2 ** 32 + 2 ** 30, destination: 2 ** 30 }]);
  });

  it('of which nothing tells a size are named', () => {
    const layout = of({ ...resizable(0x15, 8), ...bars(0, 0, 0xe000000c) });
    expect(verdict(layout, { ...resizable(0x15, 8), ...bars(0, 0, 0xf000000c) }, plain).untoldBars).toEqual([]);
    expect(verdict(layout, bars(0, 0, 0xf000000c), plain).untoldBars).toEqual([2]);
    expect(verdict(of({}), {}, plain).untoldBars).toEqual([]);
  });
});
