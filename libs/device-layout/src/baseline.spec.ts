import { type ConfigSpaceParts, express, u16, u32 } from '@cadastre/config-space/testing';
import fc from 'fast-check';
import { baseline, type Baseline, type BaselineOptions } from './baseline.js';
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
const of = (...parts: readonly ConfigSpaceParts[]): Baseline => ofFleet(fleet(...parts));
const ofFleet = (functions: ReturnType<typeof fleet>, options: BaselineOptions = {}): Baseline => {
  const result = baseline(functions, options);
  if (!result.ok) throw new Error(JSON.stringify(result.refusal));
  return result.value;
};
const without = (id: number): ConfigSpaceParts => model({ extended: model().extended?.filter((one) => one.id !== id)
  ?? [] });

/** A fleet of one model in up to three shapes, with odd ones in it. */
const anyFleet = fc.array(fc.record({
  lacks: fc.constantFrom(null, null, null, null, null, null, 0x03, 0x0f, 0x18), moves: fc.boolean(),
  lanes: fc.constantFrom(4, 8, 16), vectors: fc.constantFrom(15, 31), serial: fc.nat(3),
  revision: fc.nat(1), more: fc.boolean(),
}), { minLength: 2, maxLength: 7 }).map((all) => fleet(...all.map(({ lacks, moves, lanes, vectors, more, ...one }) =>
  model({ revision: one.revision, extended: [...model().extended ?? [], ...more ? [{ id: 0x1e, offset: 0x380 }] : []]
    .filter(({ id }) => id !== lacks).map((entry) => (moves && entry.id === 0x0f ? { ...entry, offset: 0x2c0 }
      : entry.id === 0x03 ? { ...entry, body: u32(one.serial) } : entry)) }, lanes, vectors))));

describe('the baseline of a fleet', () => {
  const moved = model({ extended: model().extended?.map((one) =>
    (one.id === 0x0f ? { ...one, offset: 0x280 } : one)) ?? [] });

  it('of equal functions is what one of them shows', () => {
    const { layout, ...report } = of(model(), model(), model());
    expect(report).toEqual({ dropped: [], relocated: [], narrowed: [], replaced: [] });
    expect(layout.space.equals(surveyOf(model()).space)).toBe(true);
  });

  it('leaves out what one of them lacks, and names all that do', () => {
    const { layout, dropped } = of(model(), without(0x18), model(), without(0x18));
    expect(dropped).toEqual([{ space: 'extended', id: 0x18, name: 'LTR', offset: 0x300, why: 'absent',
      because: ['host-1', 'host-3'], count: 2 }]);
    expect(walkOf(layout.space)).toBe('100 200 240');
  });

  it('tells of what most of them lack too', () => {
    const bare = without(0x03);
    const { layout, dropped } = of(bare, bare, model());
    expect(dropped).toEqual([{ space: 'extended', id: 0x03, name: 'DSN', offset: 0x240, why: 'absent',
      because: ['host-0', 'host-1'], count: 2 }]);
    expect(walkOf(layout.space)).toBe('100 200 300');
  });

  it('shows what some have elsewhere where most have it, unless nothing may move', () => {
    const functions = fleet(moved, model(), model(), moved, model());
    const because = { because: ['host-0', 'host-3'], count: 2 };
    const { layout, dropped, relocated } = ofFleet(functions);
    expect([dropped, relocated]).toEqual([[], [
      { space: 'extended', id: 0x0f, name: 'ATS', offset: 0x200, ...because }]]);
    expect([walkOf(layout.space), layout.space.u16(0x204)]).toEqual(['100 200 240 300', 0x20]);
    const fixed = ofFleet(functions, { relocations: false });
    expect([fixed.dropped, fixed.relocated]).toEqual([[
      { space: 'extended', id: 0x0f, name: 'ATS', offset: 0x200, why: 'elsewhere', ...because }], []]);
    expect([walkOf(fixed.layout.space), fixed.layout.space.u32(0x204)]).toEqual(['100 240 300', 0]);
  });

  it('names the first eight by name, and counts the others', () => {
    const [{ because, count } = { because: [], count: 0 }] = of(model(), ...Array.from({ length: 11 }, () =>
      without(0x18))).dropped;
    expect([because, count]).toEqual([['host-1', 'host-10', 'host-11', 'host-2', 'host-3', 'host-4', 'host-5',
      'host-6'], 11]);
  });

  it('leaves out what only looks alike: another structure of a vendor, a table elsewhere', () => {
    const designated = (id: number): ConfigSpaceParts =>
      model({ extended: [{ id: 0x23, offset: 0x100, body: [...u16(0x1e98), ...u16(0x0100), ...u16(id), 0, 0] }] });
    expect(of(designated(0), designated(8)).dropped).toMatchObject([
      { name: 'DVSEC', why: 'absent', because: ['host-1'] }, { name: 'DVSEC', why: 'absent', because: ['host-0'] }]);
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
    const least = { because: ['host-2'], count: 1 };
    expect(narrowed).toEqual([
      { name: 'EXP', offset: 0x60, field: 'maximumLinkWidth', from: 16, to: 4, ...least },
      { name: 'MSIX', offset: 0xa0, field: 'tableSize', from: 63, to: 15, ...least }]);
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
    expect(replaced).toEqual([{ field: 'deviceId', because: ['host-1'], count: 1 }]);
    for (const one of parts) {
      const { verdict } = fit({ name: 'fleet', version: 1, layout }, { survey: surveyOf(one), iommu: null });
      expect(verdict.reasons).toEqual([]);
    }
    expect(readLayoutDocument(writeLayoutDocument(layout))).toMatchObject({ ok: true });
  });

  it('shows one identity, whatever the functions have', () => {
    const parts = [model({ revision: 1 }), model({ revision: 2 }), model({ revision: 2 })];
    const { layout } = of(...parts);
    expect(layout.identity.revision).toBe(2);
    for (const one of parts) {
      const { worn } = fit({ name: 'fleet', version: 1, layout }, { survey: surveyOf(one), iommu: null });
      expect(worn?.layout.identity.revision).toBe(2);
    }
  });

  it('is the same, and so is its report, in whatever order the functions come', () => {
    const tally = { dropped: 0, relocated: 0, narrowed: 0, replaced: 0 };
    fc.assert(fc.property(anyFleet, fc.boolean(), fc.infiniteStream(fc.nat()), (functions, relocations, picks) => {
      const first = baseline(functions, { relocations });
      const told = (one: typeof first): unknown => (one.ok
        ? { ...one.value, layout: writeLayoutDocument(one.value.layout) } : one);
      const order = [...functions];
      const shuffled = functions.map(() => order.splice(picks.next().value % order.length, 1)[0]);
      const again = baseline(shuffled.filter((one) => one !== undefined), { relocations });
      expect(told(again)).toEqual(told(first));
      if (!first.ok) throw new Error(JSON.stringify(first.refusal));
      for (const part of Object.keys(tally) as (keyof typeof tally)[]) tally[part] += first.value[part].length;
      // What is not dropped is in the layout; and every function can show it.
      const { layout } = first.value;
      for (const { survey } of functions) {
        expect(fit({ name: 'fleet', version: 1, layout }, { survey, iommu: null }).verdict.reasons).toEqual([]);
      }
    }), { numRuns: 120 });
    for (const count of Object.values(tally)) expect(count).toBeGreaterThan(20);
  });

  it.each<[string, readonly ConfigSpaceParts[], object]>([
    ['nobody', [], { kind: 'fleet-empty' }],
    ['functions of two vendors', [model(), model({ vendorId: 1 }), model()], { kind: 'nothing-in-common',
      source: 'host-1', field: 'vendorId', here: 1, base: 'host-0', there: 0x1234 }],
    ['functions of two classes', [model(), model({ classCode: 0x030000 })], { field: 'classCode' }],
    ['functions of two sizes', [model(), model(), { size: 256 }], {
      field: 'configSize', here: 256, base: 'host-0', there: 4096 }],
    ['functions whose BARs are of two kinds', [model({ bytes: { 0x10: u32(0xe0000004) } }), model({ bytes: {
      0x10: u32(0xe000000c) } })], { field: 'kind of BAR 0' }],
    ['a capture that was cut', [model(), model({ capturedBytes: 0x400 })], { kind: 'function-unfit',
      source: 'host-1' }],
  ])('of %s is none', (_, parts, refusal) => {
    expect(baseline(fleet(...parts))).toMatchObject({ ok: false, refusal });
  });
});
