import { type Survey } from '@cadastre/config-space';
import { express, type ExtendedEntry, u32 } from '@cadastre/config-space/testing';
import fc from 'fast-check';
import { type PhysicalFunction, type PlacementPolicy } from './ground.js';
import { type LayoutRequest, planLayout, type WantedCapability } from './plan-layout.js';
import { strategies } from './refusal.js';
import { policy, surveyOf, walkOf, wholePasid } from './testing.js';

const clique: WantedCapability = { name: 'nvidia-clique', registers: { clique: 1 } };
const wants: readonly WantedCapability[] = [
  wholePasid, clique, { name: 'pri', registers: {} }, { name: 'ats', registers: {} }, { name: 'dsn', registers: {} },
  { name: 'acs', registers: {} }, { name: 'dvsec', registers: {} },
];
const anyOffset = fc.integer({ min: 0x40, max: 0xff }).map((index) => index * 4);
const anyEntry: fc.Arbitrary<ExtendedEntry> = fc.record({
  id: fc.constantFrom(0x01, 0x0b, 0x10, 0x18, 0x1b, 0x0f, 0x99), offset: anyOffset,
  body: fc.nat(0x40).map((length) => u32((length << 20) >>> 0)),
});
const anySurvey: fc.Arbitrary<Survey> = fc.record({
  extended: fc.uniqueArray(anyEntry, { maxLength: 5, selector: ({ offset }) => offset })
    .map((entries) => entries.map((one) => (one.offset >= 0xff8 ? { ...one, offset: 0xf00 } : one)))
    .map((entries) => entries.filter((one, index) =>
      entries.findIndex(({ offset }) => offset === one.offset) === index)),
  bytes: fc.dictionary(fc.integer({ min: 0x400, max: 0xff0 }).map(String), fc.constant([1, 2, 3]), { maxKeys: 8 }),
  standard: fc.uniqueArray(fc.record({ id: fc.constantFrom(0x01, 0x05, 0x11, 0x09), offset: fc.integer({
    min: 0x12, max: 0x3c }).map((index) => index * 4) }), { maxLength: 3, selector: ({ offset }) => offset >>> 4 })
    .map((list) => [express({ offset: 0x40 }), ...list.filter(({ offset }) => offset >= 0x80)]),
}).map((parts) => surveyOf({ ...parts, vendorId: 0x10de, classCode: 0x030200 }));
const anyPlaces = fc.dictionary(fc.constantFrom('pasid', 'pri', 'ats', 'dsn', 'acs', 'dvsec'), anyOffset,
  { maxKeys: 2 }).map((places): PlacementPolicy['pinned'] => places);
/** Every strategy in any order, with something for each to say. */
const anyGround: fc.Arbitrary<Omit<LayoutRequest, 'survey' | 'wanted'>> = fc.record({
  policy: fc.record({ strategies: fc.shuffledSubarray([...strategies], { minLength: 3 }).map((some) =>
    (some.includes('table') ? some : [...some, 'table' as const])), pinned: anyPlaces }).map(policy),
  persona: fc.record({ persona: fc.constant('any@1'), places: anyPlaces }),
  told: fc.array(fc.record({ source: fc.constant('plugin x 1'), by: fc.constant('plugin' as const),
    name: fc.constant(null),
    range: fc.record({ offset: anyOffset, length: fc.constant(0x20) }) }), { maxLength: 1 }),
  physicalFunction: fc.constantFrom<PhysicalFunction | null>(null, { address: '0000:3b:00.0', survey: surveyOf({
    vendorId: 0x10de, extended: [{ id: 0x10, offset: 0x100 }, { id: 0x1b, offset: 0x200 },
      { id: 0x13, offset: 0x240 }] }) }),
});
const anyOrder = fc.shuffledSubarray([...wants], { minLength: 2 });

const seed = Number(process.env['CADASTRE_SEED'] ?? Date.now() % 2 ** 31);

describe('whatever is added later', () => {
  it('never moves what was placed before, in any order and any number of steps', () => {
    const anyAll = fc.shuffledSubarray([...wants], { minLength: wants.length });
    const tally = new Map<string, number>();
    const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
    fc.assert(fc.property(anySurvey, anyGround, anyOrder, anyAll, (over, ground, order, all) => {
      const request = { survey: over, ...ground };
      let decided = planLayout({ ...request, wanted: order.slice(0, 1) });
      for (let size = 2; size <= order.length; size += 1) {
        if (!decided.ok) {
          count('nothing to keep');
          return;
        }
        const before = decided.value.layout.placements;
        const names = order.slice(0, size).map(({ name }) => name);
        const after = planLayout({
          ...request, wanted: all.filter(({ name }) => names.includes(name)), decided: before });
        // A place may be missing for the new one; the old ones are never the reason.
        if (!after.ok) {
          // The first one in a list finds out whether that list is one at all.
          if (after.refusal.kind === 'extended-list-broken' || after.refusal.kind === 'standard-list-broken') return;
          expect(after.refusal).toMatchObject({ kind: 'no-place', name: order[size - 1]?.name });
          count('no place for the new one');
          return;
        }
        const offsets = new Map(after.value.layout.placements.map(({ name, offset }) => [name, offset]));
        for (const { name, offset, strategy } of before) {
          expect([name, offsets.get(name)]).toEqual([name, offset]);
          count(strategy);
          if (name === 'nvidia-clique') count('standard');
        }
        decided = after;
      }
    }), { numRuns: 600, seed });
    console.log(`seed ${seed}: ${JSON.stringify(Object.fromEntries(tally))}`);
    // Kept by every strategy, in both lists: a property about nothing would be true as well.
    for (const what of [...strategies, 'standard', 'no place for the new one']) {
      expect([what, (tally.get(what) ?? 0) > 20]).toEqual([what, true]);
    }
  });

  it('shows several capabilities in one list, none over another, all over free bytes', () => {
    fc.assert(fc.property(anySurvey, anyOrder, (over, all) => {
      const wanted = all.filter((one) => one !== clique);
      const result = planLayout({ survey: over, physicalFunction: null, wanted, policy: policy() });
      if (!result.ok) return;
      const { placements, extendedList } = result.value.layout;
      const bytes = placements.flatMap(({ offset, length }) => Array.from({ length }, (_, index) => offset + index));
      expect(new Set(bytes).size).toBe(bytes.length);
      for (const one of placements) expect(over.owners.firstTaken(one)).toBeUndefined();
      expect(walkOf(result.value.guestConfigSpace))
        .toBe(extendedList.map(({ offset }) => offset.toString(16)).join(' '));
    }), { numRuns: 400 });
  });
});
