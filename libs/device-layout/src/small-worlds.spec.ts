import { ByteRange, occupiedEnd, survey, type Survey } from '@cadastre/config-space';
import { planLayout, type WantedCapability } from './plan-layout.js';
import { policy, surveyOf, walkOf, wholePasid } from './testing.js';

/** A reduced extended space: everything behind it holds registers. */
const worldEnd = 0x148;
const fill = Array.from({ length: 0x1000 - worldEnd }, () => 0xa5);
/** 8 bytes each: LTR fits every slot. */
const slots = [0x100, 0x110, 0x120, 0x130, 0x140] as const;
const wanted: readonly WantedCapability[] = [wholePasid, { name: 'ats', registers: {} }];

/** Every ordered choice of up to four slots: every arrangement of a list, ascending or not. */
function arrangements(): readonly (readonly number[])[] {
  const all: (readonly number[])[] = [[]];
  for (let length = 0; length < 4; length += 1) {
    for (const one of all.filter((list) => list.length === length)) {
      for (const slot of slots) if (!one.includes(slot)) all.push([...one, slot]);
    }
  }
  return all;
}

const world = (order: readonly number[]): Survey =>
  surveyOf({ extended: order.map((offset) => ({ id: 0x18, offset })), bytes: { [worldEnd]: fill } });

function expectInvariants(over: Survey, order: readonly number[], request: Parameters<typeof planLayout>[0]): boolean {
  const result = planLayout(request);
  if (!result.ok) return false;
  const { layout, guestConfigSpace: guest, layoutDigest } = result.value;
  const again = planLayout(request);
  expect(again.ok && again.value.layoutDigest).toBe(layoutDigest);
  const walk = survey(guest).capabilities.filter((one) => one.space === 'extended').map(({ offset }) => offset);
  const added = layout.extendedList.filter(({ origin }) => origin !== 'physical').map(({ offset }) => offset);
  expect(walk).toEqual(layout.extendedList.map(({ offset }) => offset));
  const physical = over.capabilities.filter((one) => one.space === 'extended').map(({ offset }) => offset);
  expect(walk.filter((offset) => !added.includes(offset))).toEqual(physical);
  if (order.every((offset, index) => index === 0 || offset > (order[index - 1] ?? 0))) {
    expect(walk).toEqual([...walk].sort((a, b) => a - b));
  }
  const ours = layout.placements.map(({ offset, length }) => ({ offset, length }));
  for (const one of ours) {
    expect(over.capabilities.some((other) => ByteRange.overlaps(one, {
      offset: other.offset, length: occupiedEnd(other) - other.offset }))).toBe(false);
    expect(ours.filter((other) => ByteRange.overlaps(one, other))).toEqual([one]);
  }
  for (let at = 0; at < 0x200; at += 4) {
    const isOurs = ours.some((one) => at >= one.offset && at < one.offset + one.length) || (at === 0x100
      && layout.extendedList[0]?.origin === 'anchor');
    const mayChange = isOurs ? 0xffffffff : physical.includes(at) ? 0xfff00000 : 0;
    expect(((over.space.u32(at) ^ guest.u32(at)) & ~mayChange) >>> 0).toBe(0);
  }
  return true;
}

describe('every arrangement of up to four capabilities in a small space', () => {
  const all = arrangements();

  it(`(${all.length} of them), with two more placed in what is left`, () => {
    let placed = 0;
    for (const order of all) {
      const over = world(order);
      const request = { survey: over, physicalFunction: null, wanted, policy: policy() };
      if (expectInvariants(over, order, request)) placed += 1;
      else expect(order.length).toBeGreaterThan(2);
    }
    expect(placed).toBeGreaterThan(all.length / 4);
    expect(walkOf(world([]).space)).toBe('');
  });

  it('with one more at every offset: taken exactly where its bytes belong to nobody', () => {
    let taken = 0;
    for (const order of all) {
      const over = world(order);
      for (let offset = 0xfc; offset <= worldEnd; offset += 4) {
        const isFree = offset >= 0x100 && over.owners.firstTaken({ offset, length: 8 }) === undefined;
        const request = { survey: over, physicalFunction: null, wanted: [wholePasid],
          policy: policy({ strategies: ['pinned'], pinned: { pasid: offset } }) } as const;
        const isPlaced = expectInvariants(over, order, request);
        // A list that does not begin at 0x100 is led to by a header there.
        if (isPlaced !== isFree) throw new Error(`${order.join(' ')} at ${offset}: ${isPlaced}, free ${isFree}`);
        if (isPlaced) taken += 1;
      }
    }
    expect(taken).toBeGreaterThan(all.length);
  });
});
