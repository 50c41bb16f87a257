import { type Survey } from '@cadastre/config-space';
import { type ExtendedEntry, u32 } from '@cadastre/config-space/testing';
import fc from 'fast-check';
import { planLayout, type WantedCapability } from './plan-layout.js';
import { policy, surveyOf, walkOf, wholePasid } from './testing.js';

const wants: readonly WantedCapability[] = [
  wholePasid, { name: 'pri', registers: {} }, { name: 'ats', registers: {} }, { name: 'dsn', registers: {} },
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
}).map((parts) => surveyOf(parts));
const anyOrder = fc.shuffledSubarray([...wants], { minLength: 2 });

describe('whatever is added later', () => {
  it('never moves what was placed before, in any order and any number of steps', () => {
    const anyAll = fc.shuffledSubarray([...wants], { minLength: 6 });
    fc.assert(fc.property(anySurvey, anyOrder, anyAll, (over, order, all) => {
      const request = { survey: over, physicalFunction: null, policy: policy({ strategies: ['physical', 'gap'] }) };
      let decided = planLayout({ ...request, wanted: order.slice(0, 1) });
      for (let count = 2; count <= order.length; count += 1) {
        if (!decided.ok) return;
        const before = decided.value.layout.placements;
        const names = order.slice(0, count).map(({ name }) => name);
        const after = planLayout({
          ...request, wanted: all.filter(({ name }) => names.includes(name)), decided: before });
        // A place may be missing for the new one; the old ones are never the reason.
        if (!after.ok) {
          expect(after.refusal).toMatchObject({ kind: 'no-place', name: order[count - 1]?.name });
          return;
        }
        const offsets = new Map(after.value.layout.placements.map(({ name, offset }) => [name, offset]));
        for (const { name, offset } of before) expect([name, offsets.get(name)]).toEqual([name, offset]);
        decided = after;
      }
    }), { numRuns: 400 });
  });

  it('shows several capabilities in one list, none over another, all over free bytes', () => {
    fc.assert(fc.property(anySurvey, anyOrder, (over, wanted) => {
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
