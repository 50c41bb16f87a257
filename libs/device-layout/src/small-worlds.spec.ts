import { ByteRange, occupiedEnd, survey, type Survey } from '@cadastre/config-space';
import { type ConfigSpaceParts, express, type ExtendedEntry, u16 } from '@cadastre/config-space/testing';
import { type LayoutRequest, planLayout, type WantedCapability } from './plan-layout.js';
import { policy, surveyOf, wholePasid } from './testing.js';

/** What the hardware lists: LTR and ATS of 8 bytes, DSN of 12, PRI of 16, AER of 0x48 with its prefix log. */
const kinds = [{ id: 0x18, length: 8 }, { id: 0x0f, length: 8 }, { id: 0x03, length: 12 }, { id: 0x13, length: 16 },
  { id: 0x01, length: 0x48 }] as const;
/** A reduced extended space: everything behind it holds registers. */
const worldEnd = 0x1b0;
const fill = Array.from({ length: 0x1000 - worldEnd }, (_, at) => (at % 251) + 1);
const slots = [0x100, 0x10c, 0x120, 0x134, 0x168] as const;
const wanted: readonly WantedCapability[] = [
  wholePasid, { name: 'acs', registers: {} }, { name: 'dvsec', registers: { dvsecVendorId: 7 } }];

/** Every ordered choice of up to `most` places, without any that `fits` refuses. */
function choices<Place>(places: readonly Place[], most: number, fits: (list: readonly Place[]) => boolean):
readonly (readonly Place[])[] {
  const all: (readonly Place[])[] = [[]];
  for (const one of all) {
    for (const place of one.length < most ? places : []) {
      if (!one.includes(place) && fits([...one, place])) all.push([...one, place]);
    }
  }
  return all;
}

/** Kinds go round the slots, so that every length comes in every slot and in every place of a list. */
const placed = slots.flatMap((offset) => kinds.map((kind) => ({ ...kind, offset })));
const extendedWorlds = choices([0, 1, 2, 3, 4], 4, () => true).flatMap((order) => kinds.map((_, turn) =>
  order.flatMap((slot, index) => placed[slot * kinds.length + ((turn + index + slot) % kinds.length)] ?? [])))
  .filter((world) => new Set(world.map(({ id }) => id)).size === world.length
    && world.every((one) => world.every((other) => one === other || !ByteRange.overlaps(one, other))))
  .filter((world, index, all) => world.length > 0 || index === all.findIndex((other) => other.length === 0));
const partsOf = (extended: readonly ExtendedEntry[]): ConfigSpaceParts =>
  ({ extended, bytes: { [worldEnd]: fill }, standard: [express({ offset: 0x60, endEndTlpPrefix: true })] });

/** What a plan may change: its own bytes, an anchor, next pointers, and of the standard list its head. */
function mayChange(over: Survey, ours: readonly ByteRange[], hasAnchor: boolean): ReadonlyMap<number, number> {
  const masks = new Map<number, number>();
  for (const { space, offset } of over.capabilities) masks.set(offset, space === 'extended' ? 0xfff00000 : 0xff00);
  masks.set(0x04, 0x00100000).set(0x34, 0xff);
  if (hasAnchor) masks.set(0x100, 0xffffffff);
  for (const { offset, length } of ours) for (let at = 0; at < length; at += 4) masks.set(offset + at, 0xffffffff);
  return masks;
}

/** Everything that is true of every plan, or false when there is none. The request is made twice, from nothing. */
function isPlanned(make: () => LayoutRequest): boolean {
  const request = make();
  const { survey: over } = request;
  const result = planLayout(request);
  const again = planLayout({ ...make(), wanted: [...make().wanted].reverse() });
  if (!result.ok || !again.ok) {
    expect(again).toEqual(result);
    return false;
  }
  const { layout, guestConfigSpace: guest, layoutDigest, guestConfigSpaceDigest } = result.value;
  expect(again.value).toMatchObject({ layoutDigest, guestConfigSpaceDigest });
  for (const [space, list] of [['standard', layout.standardList], ['extended', layout.extendedList]] as const) {
    const listed = (one: Survey): readonly number[] =>
      one.capabilities.filter((each) => each.space === space).map(({ offset }) => offset);
    const [before, walk] = [listed(over), listed(survey(guest))];
    expect(walk).toEqual(list.map(({ offset }) => offset));
    const added = list.filter(({ origin }) => origin !== 'physical').map(({ offset }) => offset);
    expect(walk.filter((offset) => !added.includes(offset))).toEqual(before);
    const isAscending = before.every((offset, index) => index === 0 || offset > (before[index - 1] ?? 0));
    if (isAscending) expect(walk).toEqual([...walk].sort((a, b) => a - b));
  }
  const ours = layout.placements.map(({ offset, length }) => ({ offset, length }));
  for (const one of ours) {
    expect(over.capabilities.some((other) => ByteRange.overlaps(one, {
      offset: other.offset, length: occupiedEnd(other) - other.offset }))).toBe(false);
    expect(ours.filter((other) => ByteRange.overlaps(one, other))).toEqual([one]);
  }
  const masks = mayChange(over, ours, layout.extendedList[0]?.origin === 'anchor');
  for (let at = 0; at < over.space.size; at += 4) {
    const bits = (over.space.u32(at) ^ guest.u32(at)) & ~(masks.get(at) ?? 0);
    if (bits !== 0) throw new Error(`0x${at.toString(16)} changed: ${JSON.stringify(ours)}`);
  }
  return true;
}

describe('every arrangement of up to four capabilities of five lengths, in a small space', () => {
  it('has all lengths in all slots', () => {
    for (const offset of slots) {
      const ids = new Set(extendedWorlds.flatMap((one) => one.filter((entry) => entry.offset === offset))
        .map(({ id }) => id));
      expect([offset, ids.size]).toEqual([offset, kinds.length]);
    }
    for (const { length, ...kind } of kinds) {
      const { capabilities } = surveyOf(partsOf([{ ...kind, offset: 0x100 }]));
      expect([kind.id, capabilities.find(({ id }) => id === kind.id)?.length]).toEqual([kind.id, length]);
    }
  });

  it(`(${extendedWorlds.length} of them), with three more placed in what is left`, () => {
    let placed = 0;
    for (const one of extendedWorlds) {
      const make = (): LayoutRequest =>
        ({ survey: surveyOf(partsOf(one)), physicalFunction: null, wanted, policy: policy() });
      if (isPlanned(make)) placed += 1;
      else expect(one.length).toBeGreaterThan(1);
    }
    expect(placed).toBeGreaterThan(extendedWorlds.length / 4);
  });

  it('with one more at every offset: taken exactly where its bytes belong to nobody', () => {
    let taken = 0;
    for (const one of extendedWorlds) {
      const over = surveyOf(partsOf(one));
      for (let offset = 0xfc; offset <= worldEnd; offset += 4) {
        const isFree = offset >= 0x100 && over.owners.firstTaken({ offset, length: 8 }) === undefined;
        const isTaken = isPlanned(() => ({ survey: over, physicalFunction: null, wanted: [wholePasid],
          policy: policy({ strategies: ['pinned'], pinned: { pasid: offset } }) }));
        if (isTaken !== isFree) throw new Error(`${JSON.stringify(one)} at ${offset}: ${isTaken}, free ${isFree}`);
        if (isTaken) taken += 1;
      }
    }
    expect(taken).toBeGreaterThan(extendedWorlds.length);
  }, 120_000);
});

describe('every arrangement of up to three capabilities of the standard list', () => {
  /** PM of 8 bytes, MSI of 10, MSI-X of 12. */
  const places = [0x01, 0x05, 0x11].flatMap((id) => [0x40, 0x4c, 0x60].map((offset) => ({ id, offset })));
  const worlds = choices(places, 3, (list) => new Set(list.map(({ id }) => id)).size === list.length
    && new Set(list.map(({ offset }) => offset)).size === list.length);
  const registers = Array.from({ length: 0x80 }, (_, at) => (at % 13) + 1);
  const parts = (order: (typeof worlds)[number]): ConfigSpaceParts => ({ vendorId: 0x10de, classCode: 0x030200,
    standard: order.map(({ id, offset }) => ({ id, offset, body: id === 0x11 ? u16(7) : [] })),
    extended: [{ id: 0x01, offset: 0x100 }], bytes: { 0x80: registers } });

  it(`(${worlds.length} of them), with the clique at every offset: taken where its bytes belong to nobody`, () => {
    const clique: WantedCapability = { name: 'nvidia-clique', registers: { clique: 5 } };
    let taken = 0;
    for (const order of worlds) {
      const over = surveyOf(parts(order));
      for (let offset = 0x3c; offset <= 0x84; offset += 4) {
        const isFree = offset >= 0x40 && over.owners.firstTaken({ offset, length: 8 }) === undefined;
        const isTaken = isPlanned(() => ({ survey: over, physicalFunction: null, wanted: [clique],
          policy: policy({ strategies: ['pinned'], pinned: { 'nvidia-clique': offset } }) }));
        if (isTaken !== isFree) throw new Error(`${JSON.stringify(order)} at ${offset}: ${isTaken}, free ${isFree}`);
        if (isTaken) taken += 1;
      }
    }
    expect(taken).toBeGreaterThan(worlds.length * 3);
  });
});
