import { type Survey } from '@cadastre/config-space';
import { type ExtendedEntry, u32 } from '@cadastre/config-space/testing';
import { type Ground } from './ground.js';
import { findPlace } from './place.js';
import { type Strategy } from './refusal.js';
import { syntheticCapabilities } from './synthetic-capability.js';
import { groundOf, physicalFunction, pinnedAt, policy, surveyOf } from './testing.js';

const aer = { id: 0x01, offset: 0x100 } as const;
const pasid = { id: 0x1b, offset: 0x2d0 } as const;
const pf = '0000:3b:00.0';
const find = (over: Survey, change: Partial<Ground> = {}) =>
  findPlace('pasid', syntheticCapabilities.pasid, groundOf(over, change));
const by = (...strategies: Strategy[]): Partial<Ground> => ({ policy: policy({ strategies }) });
/** A vendor-specific capability of so many bytes: the plainest way to fill a space. */
const filler = (offset: number, length: number): ExtendedEntry =>
  ({ id: 0x0b, offset, body: u32(((length << 20) | 1) >>> 0) });

describe('the pinned strategy', () => {
  it('takes the operator\'s offset when it is proven free', () => {
    expect(find(surveyOf({ extended: [aer] }), { policy: pinnedAt(0xff8) })).toEqual({
      place: { offset: 0xff8, strategy: 'pinned', reason: { kind: 'operator-pinned-it' }, cautions: [] },
      refused: [] });
  });

  it('takes a place with cautions, and names them', () => {
    expect(find(surveyOf({ extended: [aer] }), { policy: pinnedAt(0x12c) }).place?.cautions)
      .toEqual([{ kind: 'right-behind-capability', name: 'AER', end: 0x12c }]);
  });

  it('finds nothing when no offset was given', () => {
    expect(find(surveyOf({ extended: [aer] }), by('pinned'))).toEqual({
      place: undefined, refused: [{ strategy: 'pinned', because: { kind: 'no-offset-pinned' } }] });
  });

  it.each<[string, number, object]>([
    ['an unaligned offset', 0x102, { kind: 'offset-unaligned', offset: 0x102 }],
    ['an offset below 0x100', 0xf8, { kind: 'outside-extended-space', offset: 0xf8, least: 0x100, most: 0xff8 }],
    ['an offset without 8 bytes behind it', 0xffc, { kind: 'outside-extended-space', offset: 0xffc, most: 0xff8 }],
    ['an offset behind the end', 0x1000, { kind: 'outside-extended-space', offset: 0x1000, most: 0xff8 }],
    ['the header of a capability', 0x100, { kind: 'offset-occupied', by: 'AER', from: 0x100, to: 0x12b }],
    ['the body of a capability', 0x118, { kind: 'offset-occupied', by: 'AER', from: 0x100, to: 0x12b }],
    ['a place that runs into a header', 0x1ec, { kind: 'offset-occupied', by: 'ATS', from: 0x1f0, to: 0x1f7 }],
  ])('refuses %s', (_, offset, because) => {
    const over = surveyOf({ extended: [aer, { id: 0x0f, offset: 0x1f0 }] });
    expect(find(over, { policy: pinnedAt(offset) })).toMatchObject({
      place: undefined, refused: [{ strategy: 'pinned', because }] });
  });

  it('accepts the offset the hardware has it at, and refuses every other', () => {
    const over = surveyOf({ extended: [aer, pasid] });
    expect(find(over, { policy: pinnedAt(0x2d0) }).place).toMatchObject({ offset: 0x2d0, cautions: [] });
    expect(find(over, { policy: pinnedAt(0x400) }).refused).toEqual([
      { strategy: 'pinned', because: { kind: 'listed-already', offset: 0x2d0 } }]);
  });
});

describe('the physical strategy', () => {
  it('takes the offset the hardware has it at', () => {
    expect(find(surveyOf({ extended: [aer, pasid] }), by('physical')).place).toEqual({
      offset: 0x2d0, strategy: 'physical', reason: { kind: 'hardware-has-it-here' }, cautions: [] });
  });

  it('takes the offset of the physical function for a VF', () => {
    const over = surveyOf({ extended: [aer] }, 'vf');
    expect(find(over, { ...by('physical'), physicalFunction: physicalFunction({ extended: [aer, pasid] }) })).toEqual({
      place: { offset: 0x2d0, strategy: 'physical', reason: { kind: 'physical-function-has-it-here', pf },
        cautions: [] },
      refused: [] });
  });

  it('names the cautions of that place in the VF', () => {
    const over = surveyOf({ extended: [aer, filler(0x200, 0xd0)] }, 'vf');
    const ground = { ...by('physical'), physicalFunction: physicalFunction({ extended: [aer, pasid] }) };
    expect(find(over, ground).place?.cautions)
      .toEqual([{ kind: 'right-behind-capability', name: 'VSEC', end: 0x2d0 }]);
  });

  it('refuses that place when the VF has something there', () => {
    const over = surveyOf({ extended: [aer], bytes: { 0x2d7: [1] } }, 'vf');
    const ground = { ...by('physical'), physicalFunction: physicalFunction({ extended: [aer, pasid] }) };
    expect(find(over, ground)).toEqual({ place: undefined, refused: [{ strategy: 'physical', because: {
      kind: 'offset-occupied', offset: 0x2d0, length: 8, by: 'unknown-non-zero', owner: 'unknown-non-zero',
      from: 0x2d7, to: 0x2d7 } }] });
  });

  it.each<[string, Partial<Ground>, object]>([
    ['a function that is no VF and does not list it', {}, { kind: 'not-in-hardware', id: 0x1b }],
    ['a VF whose PF is not registered', { physicalFunction: { address: pf, survey: null } },
      { kind: 'physical-function-unknown', pf }],
    ['a VF whose PF nobody named', { physicalFunction: { address: null, survey: null } },
      { kind: 'physical-function-unknown', pf: null }],
    ['a VF whose PF does not list it', { physicalFunction: physicalFunction({ extended: [aer] }) },
      { kind: 'not-in-hardware', id: 0x1b }],
    ['a VF whose PF lists it twice',
      { physicalFunction: physicalFunction({ extended: [aer, pasid, { ...pasid, offset: 0x400 }] }) },
      { kind: 'listed-twice', id: 0x1b, offset: 0x2d0, again: 0x400 }],
    ['a VF whose PF is cut by the end of its space',
      { physicalFunction: physicalFunction({ extended: [aer, { ...pasid, offset: 0xffc }] }) },
      { kind: 'outside-extended-space', offset: 0xffc, length: 8, least: 0x100, most: 0xff8 }],
  ])('finds nothing for %s', (_, change, because) => {
    expect(find(surveyOf({ extended: [aer] }), { ...by('physical'), ...change })).toEqual({
      place: undefined, refused: [{ strategy: 'physical', because }] });
  });

  it('refuses the hardware\'s own place when its bytes are not its alone', () => {
    const over = surveyOf({ extended: [aer, pasid, { id: 0x0f, offset: 0x2d4 }] });
    expect(find(over, by('physical')).refused).toMatchObject([{ because: { kind: 'offset-occupied', by: 'ATS' } }]);
    expect(find(over, { policy: pinnedAt(0x2d0) }).refused).toMatchObject([{ because: { by: 'ATS' } }]);
  });
});

describe('the gap strategy', () => {
  const gapPlace = (over: Survey, change: Partial<Ground> = {}) => find(over, { ...by('gap'), ...change });

  it('takes the lowest place with 8 bytes of room to the capability below', () => {
    expect(gapPlace(surveyOf({ extended: [aer, { id: 0x0f, offset: 0x200 }] }))).toEqual({
      place: { offset: 0x134, strategy: 'gap', cautions: [],
        reason: { kind: 'lowest-proven-gap', gapOffset: 0x12c, gapLength: 0xd4 } },
      refused: [] });
  });

  it('prefers a higher place without cautions to a lower one with them', () => {
    const over = surveyOf({ extended: [aer, filler(0x138, 0x104)] });
    expect(gapPlace(over).place).toMatchObject({ offset: 0x244, cautions: [] });
  });

  it('prefers to stay clear of what only looks like a capability', () => {
    const over = surveyOf({ extended: [aer], unlinked: [{ id: 0x04, offset: 0x130 }] });
    expect(gapPlace(over).place).toMatchObject({ offset: 0x140, cautions: [] });
  });

  it('falls back to the lowest place with cautions, and names them', () => {
    const over = surveyOf({ extended: [aer, filler(0x138, 0xec8)] });
    expect(gapPlace(over)).toEqual({
      place: { offset: 0x12c, strategy: 'gap',
        cautions: [{ kind: 'right-behind-capability', name: 'AER', end: 0x12c }],
        reason: { kind: 'lowest-proven-gap', gapOffset: 0x12c, gapLength: 0xc } },
      refused: [] });
  });

  it('falls back to the lowest of several', () => {
    const over = surveyOf({ extended: [aer, filler(0x138, 0x100), filler(0x244, 0xdbc)] });
    expect(gapPlace(over)).toMatchObject({ place: { offset: 0x12c }, refused: [] });
  });

  it('falls back into the body of what only looks like a capability when nothing else is left', () => {
    const over = surveyOf({ extended: [aer, filler(0x200, 0xe00)], unlinked: [{ id: 0x0b, offset: 0x12c,
      body: u32(0x0d400001) }] });
    expect(gapPlace(over).place).toMatchObject({ offset: 0x134, cautions: [{ kind: 'inside-weak-header', id: 0x0b,
      offset: 0x12c, length: 0xd4 }] });
  });

  it('names the gaps it passed over', () => {
    const over = surveyOf({ extended: [aer, filler(0x130, 0xd0), filler(0x210, 0x100)], bytes: { 0x208: [7] } });
    expect(gapPlace(over)).toEqual({
      place: { offset: 0x318, strategy: 'gap', cautions: [],
        reason: { kind: 'lowest-proven-gap', gapOffset: 0x310, gapLength: 0xcf0 } },
      refused: [
        { strategy: 'gap', because: { kind: 'gap-too-short', offset: 0x12c, length: 4, needed: 8 } },
      ] });
  });

  it('names what stands in a gap that is long enough', () => {
    const over = surveyOf({ extended: [aer, filler(0x134, 0x100), filler(0x240, 0xdc0)], bytes: { 0x130: [7],
      0x238: [1] } });
    expect(gapPlace(over)).toMatchObject({ place: undefined, refused: [
      { because: { kind: 'offset-occupied', offset: 0x12c, by: 'unknown-non-zero', from: 0x130, to: 0x130 } },
      { because: { kind: 'offset-occupied', offset: 0x234, by: 'unknown-non-zero', from: 0x238, to: 0x238 } },
      { because: { kind: 'no-gap', needed: 8 } },
    ] });
  });

  it('counts the gaps it passed over beyond the sixteenth', () => {
    const crowded = Array.from({ length: 20 }, (_, index) => filler(0x100 + index * 0x10, 0x0c));
    const over = surveyOf({ extended: [...crowded, filler(0x240, 0xdc0)] });
    const { place, refused } = gapPlace(over);
    expect(place).toBeUndefined();
    expect(refused).toHaveLength(18);
    expect(refused.slice(15).map(({ because }) => because)).toEqual([
      { kind: 'gap-too-short', offset: 0x1fc, length: 4, needed: 8 }, { kind: 'further-gaps', count: 4 },
      { kind: 'no-gap', needed: 8 },
    ]);
  });

  it('counts them also when it finds a place at last', () => {
    const crowded = Array.from({ length: 17 }, (_, index) => filler(0x100 + index * 0x10, 0x0c));
    const { place, refused } = gapPlace(surveyOf({ extended: [...crowded, filler(0x210, 0x10)] }));
    expect(place?.offset).toBe(0x228);
    expect(refused.at(-1)?.because).toEqual({ kind: 'further-gaps', count: 1 });
  });

  it('finds nothing in a space that is full', () => {
    expect(gapPlace(surveyOf({ extended: [filler(0x100, 0xf00)] }))).toEqual({
      place: undefined, refused: [{ strategy: 'gap', because: { kind: 'no-gap', needed: 8 } }] });
  });

  it('finds nothing when the hardware lists one: a second would shadow it', () => {
    expect(gapPlace(surveyOf({ extended: [aer, pasid] }))).toEqual({
      place: undefined, refused: [{ strategy: 'gap', because: { kind: 'listed-already', offset: 0x2d0 } }] });
  });

  it('stays inside the allowed ranges and clear of the forbidden ones', () => {
    const allowedRanges = [{ offset: 0x400, length: 0x100 }, { offset: 0x800, length: 0x100 }];
    const forbiddenRanges = [{ offset: 0x3f0, length: 0x1c, reason: 'scratch' }, { offset: 0x410, length: 0x3f4,
      reason: 'kept' }];
    const over = surveyOf({ extended: [aer] });
    expect(gapPlace(over, { policy: policy({ allowedRanges }) }).place?.offset).toBe(0x400);
    expect(gapPlace(over, { policy: policy({ allowedRanges, forbiddenRanges }) }).place?.offset).toBe(0x804);
  });

  it('takes the only 8 free bytes there are', () => {
    for (const offset of [0x12c, 0x7fc, 0xff8]) {
      const ones = Array.from({ length: 0x1000 - 0x12c }, (_, index) =>
        (index + 0x12c >= offset && index + 0x12c < offset + 8 ? 0 : 1));
      expect(gapPlace(surveyOf({ extended: [aer], bytes: { 0x12c: ones } })).place?.offset).toBe(offset);
    }
  });

  it('looks at 0x100 first where there is no list, and nowhere when the list cannot begin', () => {
    expect(gapPlace(surveyOf({})).place?.offset).toBe(0x100);
    expect(gapPlace(surveyOf({ bytes: { 0x104: [1] } })).place?.offset).toBe(0x108);
    expect(gapPlace(surveyOf({}, 'none', [{ offset: 0x100, length: 4 }])).refused.map(({ because }) => because.kind))
      .toEqual(['offset-occupied', 'no-gap']);
  });
});

describe('strategies', () => {
  it('are tried in the order of the policy, and those that fail are told', () => {
    const over = surveyOf({ extended: [aer], bytes: { 0xff8: [0x8f] } }, 'vf');
    const tried = find(over, { policy: pinnedAt(0xff8, { strategies: ['physical', 'pinned', 'gap'] }) });
    expect(tried.place).toMatchObject({ offset: 0x134, strategy: 'gap' });
    expect(tried.refused.map(({ strategy, because }) => [strategy, because.kind]))
      .toEqual([['physical', 'not-in-hardware'], ['pinned', 'offset-occupied']]);
  });

  it('are not tried once one found a place, nor when the policy does not name them', () => {
    const over = surveyOf({ extended: [aer] });
    expect(find(over, { policy: pinnedAt(0x400, { strategies: ['gap', 'pinned'] }) }))
      .toMatchObject({ place: { offset: 0x134 }, refused: [] });
    expect(find(over, by())).toEqual({ place: undefined, refused: [] });
  });
});
