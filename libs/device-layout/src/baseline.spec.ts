import { type ConfigSpaceParts, express, u16, u32 } from '@cadastre/config-space/testing';
import { baseline, type Baseline } from './baseline.js';
import { readLayoutDocument, writeLayoutDocument } from './layout-document.js';
import { fit } from './persona.js';
import { surveyOf, walkOf } from './testing.js';

const model = (change: Partial<ConfigSpaceParts> = {}, lanes = 16, vectors = 31): ConfigSpaceParts => ({
  vendorId: 0x1234, deviceId: 0x0001, standard: [express({ offset: 0x60, lanes }),
    { id: 0x11, offset: 0xa0, body: u16(vectors) }],
  extended: [{ id: 0x01, offset: 0x100 }, { id: 0x0f, offset: 0x200, body: u16(0x20) },
    { id: 0x03, offset: 0x240, body: u32(7) }, { id: 0x18, offset: 0x300 }],
  ...change,
});
const fleet = (...parts: readonly ConfigSpaceParts[]) =>
  parts.map((one, index) => ({ source: `host-${index}`, survey: surveyOf(one) }));
const of = (...parts: readonly ConfigSpaceParts[]): Baseline => {
  const result = baseline(fleet(...parts));
  if (!result.ok) throw new Error(JSON.stringify(result.refusal));
  return result.value;
};
const without = (id: number): ConfigSpaceParts => model({ extended: model().extended?.filter((one) => one.id !== id)
  ?? [] });

describe('the baseline of a fleet', () => {
  it('of equal functions is what one of them shows', () => {
    const { layout, dropped, narrowed, replaced } = of(model(), model(), model());
    expect([dropped, narrowed, replaced]).toEqual([[], [], []]);
    expect(layout.space.equals(surveyOf(model()).space)).toBe(true);
  });

  it('leaves out what one of them lacks, has elsewhere or otherwise, and names it', () => {
    const moved = model({ extended: model().extended?.map((one) =>
      (one.id === 0x0f ? { ...one, offset: 0x280 } : one)) ?? [] });
    const { layout, dropped } = of(model(), without(0x18), moved);
    expect(dropped).toEqual([
      { space: 'extended', id: 0x18, name: 'LTR', offset: 0x300, why: 'absent', because: 'host-1' },
      { space: 'extended', id: 0x0f, name: 'ATS', offset: 0x200, why: 'elsewhere', because: 'host-2' }]);
    expect(walkOf(layout.space)).toBe('100 240');
    expect(layout.space.u32(0x204)).toBe(0);
  });

  it('leaves out what only looks alike: another structure of a vendor, a table elsewhere', () => {
    const designated = (id: number): ConfigSpaceParts =>
      model({ extended: [{ id: 0x23, offset: 0x100, body: [...u16(0x1e98), ...u16(0x0100), ...u16(id), 0, 0] }] });
    expect(of(designated(0), designated(8)).dropped).toMatchObject([{ name: 'DVSEC', why: 'absent' }]);
    const table = (at: number): ConfigSpaceParts =>
      model({ standard: [express({ offset: 0x60 }), { id: 0x11, offset: 0xa0, body: [...u16(7), ...u32(at)] }] });
    const family = (kind: number): ConfigSpaceParts => model({ extended: [{ id: 0x10, offset: 0x100, body:
      [...new Array<number>(0x20).fill(0), ...u32(kind)] }] });
    const allocated = (last: number): ConfigSpaceParts => model({ standard: [express({ offset: 0x60 }), { id: 0x14,
      offset: 0xc0, body: [1, 0, ...u32(0x80000002), ...u32(0x43000000), ...u32(last)] }] });
    for (const [name, ...parts] of [['MSIX', table(0x2000), table(0x3000)], ['SRIOV', family(0xc), family(4)],
      ['EA', allocated(0xffffc), allocated(0x7fffc)]] as const) {
      expect(of(...parts).dropped).toMatchObject([{ name, why: 'other-hardware' }]);
    }
  });

  it('promises what all can keep, and names who keeps least', () => {
    const { layout, narrowed } = of(model({}, 16, 31), model({}, 8, 63), model({}, 4, 15));
    expect(narrowed).toEqual([
      { name: 'EXP', offset: 0x60, field: 'maximumLinkWidth', from: 16, to: 4, because: 'host-2' },
      { name: 'MSIX', offset: 0xa0, field: 'tableSize', from: 31, to: 15, because: 'host-2' }]);
    expect([(layout.space.u32(0x6c) >>> 4) & 0x3f, layout.space.u16(0xa2) & 0x7ff]).toEqual([4, 15]);
  });

  it('lets bytes differ that differ in the fleet', () => {
    const unknown = (value: number): ConfigSpaceParts =>
      model({ extended: [...model().extended ?? [], { id: 0x99, offset: 0x400, body: u32(value) }] });
    const { layout } = of(unknown(0), unknown(0x10001));
    const at = (offset: number) => layout.ranges.find((one) => one.offset <= offset
      && one.offset + one.length > offset)?.compare;
    expect([at(0x404), at(0x405), at(0x406), at(0x104)]).toEqual(['consistent', 'identical', 'consistent', 'ignore']);
  });

  it('is worn by every function it was made of', () => {
    const parts = [model({}, 16, 31), { ...without(0x18), deviceId: 2 }, model({}, 8, 63)];
    const { layout, replaced } = of(...parts);
    expect(replaced).toEqual([{ field: 'deviceId', because: 'host-1' }]);
    for (const one of parts) {
      const { verdict } = fit({ name: 'fleet', version: 1, layout }, { survey: surveyOf(one), iommu: null });
      expect(verdict.reasons).toEqual([]);
    }
    expect(readLayoutDocument(writeLayoutDocument(layout))).toMatchObject({ ok: true });
  });

  it('does not depend on what comes after the first in which order', () => {
    const [first, ...rest] = [model({}, 16, 31), without(0x18), model({}, 8, 63), without(0x0f)] as const;
    const bytes = [rest, [...rest].reverse()].map((others) => of(first, ...others).layout.space.toBytes());
    expect(bytes[0]).toEqual(bytes[1]);
  });

  it.each<[string, readonly ConfigSpaceParts[], object]>([
    ['nobody', [], { kind: 'fleet-empty' }],
    ['functions of two vendors', [model(), model({ vendorId: 1 })], { kind: 'nothing-in-common', source: 'host-1',
      field: 'vendorId', first: 0x1234, here: 1 }],
    ['functions of two classes', [model(), model({ classCode: 0x030000 })], { field: 'classCode' }],
    ['functions of two sizes', [model(), { size: 256 }], { field: 'configSize', first: 4096, here: 256 }],
    ['functions whose BARs are of two kinds', [model({ bytes: { 0x10: u32(0xe0000004) } }), model({ bytes: {
      0x10: u32(0xe000000c) } })], { field: 'kind of BAR 0', first: 4, here: 0xc }],
    ['a capture that was cut', [model(), model({ capturedBytes: 0x400 })], { kind: 'function-unfit',
      source: 'host-1' }],
  ])('of %s is none', (_, parts, refusal) => {
    expect(baseline(fleet(...parts))).toMatchObject({ ok: false, refusal });
  });
});
