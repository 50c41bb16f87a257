import { Digest } from './digest.js';
import { Evidence } from './evidence.js';
import { planned, reasonsOf, refusalOf, pinnedAt, surveyOf } from './testing.js';

const aer = { id: 0x01, offset: 0x100 } as const;
const over = surveyOf({ extended: [aer] });

describe('evidence of further captures', () => {
  it('keeps a capability from a byte that was once not zero', () => {
    const unit = surveyOf({ extended: [aer], bytes: { 0x13a: [1] } });
    const evidence = Evidence.of([{ source: 'unit 1', survey: over }, { source: 'unit 2', survey: unit }]);
    expect(planned(over).layout.placements[0]?.offset).toBe(0x134);
    const { layout } = planned(over, { evidence });
    expect(layout.placements[0]?.offset).toBe(0x13c);
    expect(layout.evidence.captures).toEqual([
      { source: 'unit 1', configSpaceDigest: Digest.of(over.space.toBytes()) },
      { source: 'unit 2', configSpaceDigest: Digest.of(unit.space.toBytes()) }]);
    expect(reasonsOf(refusalOf(over, { policy: pinnedAt(0x138), evidence }))).toEqual([{
      kind: 'seen-in-use', offset: 0x138, length: 8, at: 0x13a, owner: 'unknown-non-zero', source: 'unit 2' }]);
  });

  it('keeps it from zero bytes that another firmware has a capability on', () => {
    const other = surveyOf({ extended: [aer, { id: 0x04, offset: 0x130 }] });
    const evidence = Evidence.of([{ source: 'firmware 2', survey: other }]);
    expect(reasonsOf(refusalOf(over, { policy: pinnedAt(0x138), evidence })))
      .toMatchObject([{ kind: 'seen-in-use', at: 0x138, owner: 'capability', source: 'firmware 2' }]);
  });

  it('names the captures that told something new, and counts the others', () => {
    const unit = surveyOf({ extended: [aer], bytes: { 0x13a: [1] } });
    const evidence = Evidence.of([
      { source: 'unit 1', survey: over }, { source: 'unit 2', survey: over }, { source: 'unit 3', survey: unit },
      { source: 'unit 4', survey: unit }]);
    expect(evidence.named.map(({ source }) => source)).toEqual(['unit 1', 'unit 3']);
    expect(evidence.looked).toBe(4);
  });

  it('tells of a byte in use by the first capture that shows it, whatever a later one has there', () => {
    const listing = { source: 'unit 1', survey: surveyOf({ extended: [aer, { id: 0x04, offset: 0x200 }] }) };
    const hiding = { source: 'unit 2', survey: surveyOf({ extended: [aer], bytes: { 0x204: [1] } }) };
    const range = { offset: 0x204, length: 4 };
    const evidence = Evidence.of([listing, hiding]);
    expect(evidence.inUse(range)).toEqual({ at: 0x204, owner: 'capability', source: 'unit 1' });
    expect(evidence.unlisted(range)).toEqual({ at: 0x204, owner: 'unknown-non-zero', source: 'unit 2' });
    expect(evidence.named.map(({ source }) => source)).toEqual(['unit 1', 'unit 2']);
    expect(Evidence.of([listing]).unlisted(range)).toBeUndefined();
    const other = Evidence.of([hiding, listing]);
    expect([other.inUse(range), other.unlisted(range)])
      .toEqual(new Array(2).fill({ at: 0x204, owner: 'unknown-non-zero', source: 'unit 2' }));
  });

  it('is not changed by what is seen later', () => {
    const before = Evidence.of([{ source: 'unit 1', survey: over }]);
    const unit = surveyOf({ extended: [aer], bytes: { 0x13a: [1] } });
    expect(before.with({ source: 'unit 2', survey: unit }).inUse({ offset: 0x13a, length: 1 })).toBeDefined();
    expect(before.inUse({ offset: 0x13a, length: 1 })).toBeUndefined();
  });

  it('tells of each byte who was the first to show it in use, and as what', () => {
    const captures = [
      { source: 'unit 1', survey: surveyOf({ extended: [aer], bytes: { 0x13a: [1, 1] }, capturedBytes: 0x200 }) },
      { source: 'unit 2', survey: surveyOf({ extended: [aer, { id: 0x04, offset: 0x130 }], bytes: { 0x300: [1] } }) },
      { source: 'unit 2a', survey: surveyOf({ extended: [aer], bytes: { 0x134: [1] } }) },
      { source: 'unit 3', survey: surveyOf({ extended: [{ id: 4, offset: 0x100 }], bytes: { 0x2fe: [1, 1, 1, 1] } }) },
    ];
    const evidence = Evidence.of(captures);
    for (let at = 0; at < 4096; at += 1) {
      const used = captures
        .map(({ source, survey: { owners } }) => ({ at, source, owner: owners.ownerAt(at).owner }))
        .filter(({ owner }) => owner !== 'zero' && owner !== 'not-captured');
      const unlisted = used.filter(({ owner }) => owner !== 'capability' && owner !== 'hidden-capability');
      expect(evidence.inUse({ offset: at, length: 1 })).toEqual(used[0]);
      expect(evidence.unlisted({ offset: at, length: 1 })).toEqual(unlisted[0]);
    }
    expect(evidence.inUse({ offset: 0x2f0, length: 0x20 })).toMatchObject({ at: 0x2fe, source: 'unit 3' });
  });

  it('is put together again from what its captures told', () => {
    const unit = surveyOf({ extended: [aer], bytes: { 0x13a: [1] } });
    const evidence = Evidence.of([over, over, unit].map((survey, index) => ({ source: `unit ${index}`, survey })));
    expect(Evidence.from(evidence.told, evidence.looked)).toEqual(evidence);
    expect(Evidence.from([], 0)).toEqual(Evidence.none);
    const [one] = evidence.told;
    expect(() => Evidence.from(one ? [one, one] : [], 2)).toThrow('byte 0 was told of before unit 0 told of it');
  });

  it('keeps an empty list from beginning where another capture has something', () => {
    const evidence = Evidence.of([{ source: 'unit 2', survey: over }]);
    expect(reasonsOf(refusalOf(surveyOf({}), { policy: pinnedAt(0x400), evidence })))
      .toMatchObject([{ kind: 'list-cannot-begin', because: { kind: 'seen-in-use', at: 0x100 } }]);
  });

  it('takes what a capture stopped short of for unknown there, not for used here', () => {
    const cut = surveyOf({ extended: [aer], capturedBytes: 0x200 });
    expect(Evidence.of([{ source: 'cut', survey: cut }]).inUse({ offset: 0x200, length: 0xe00 })).toBeUndefined();
  });
});
