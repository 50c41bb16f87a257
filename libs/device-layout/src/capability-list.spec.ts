import { type ConfigSpace, type Finding, survey } from '@cadastre/config-space';
import { buildConfigSpace, type ExtendedEntry, u32 } from '@cadastre/config-space/testing';
import { CapabilityList } from './capability-list.js';
import { planLayout } from './plan-layout.js';
import { pinnedAt, requestOver, surveyOf, walkOf, wholePasid } from './testing.js';

const listOf = (...offsets: readonly number[]): CapabilityList =>
  CapabilityList.of(surveyOf({ extended: offsets.map((offset) => ({ id: 0x18, offset })) }), 'extended');
const synthetic = (offset: number) => ({ offset, id: 0x1b, version: 1, origin: 'synthetic' } as const);
const shown = (list: CapabilityList): string => list.entries.map(({ offset }) => offset.toString(16)).join(' ');

describe('an extended list', () => {
  it('begins as the hardware has it, in list order', () => {
    expect(listOf(0x100, 0x400, 0x200).entries).toEqual([
      { offset: 0x100, id: 0x18, version: 1, origin: 'physical' },
      { offset: 0x400, id: 0x18, version: 1, origin: 'physical' },
      { offset: 0x200, id: 0x18, version: 1, origin: 'physical' },
    ]);
  });

  it.each([
    ['in between', [0x100, 0x200, 0x400], 0x300, '100 200 300 400'],
    ['behind the last', [0x100, 0x200], 0xff8, '100 200 ff8'],
    ['behind the only one', [0x100], 0x200, '100 200'],
    ['before the first larger offset of a list that goes backwards', [0x100, 0x400, 0x200], 0x300, '100 300 400 200'],
    ['at the end of one that goes backwards', [0x100, 0x400, 0x200], 0xff8, '100 400 200 ff8'],
  ])('links a capability %s', (_, offsets, offset, walk) => {
    const list = listOf(...offsets);
    list.link(synthetic(offset));
    expect(shown(list)).toBe(walk);
  });

  it('changes the next pointer before the new one, and no other', () => {
    const list = listOf(0x100, 0x200, 0x400);
    list.link(synthetic(0x300));
    expect(list.headerPatches()).toEqual([
      { offset: 0x200, mask: 0xfff00000, value: 0x30000000 }, { offset: 0x300, mask: 0xffffffff, value: 0x4001001b },
    ]);
  });

  it('has nothing to change until something is linked, whatever reserved bits or loops the hardware has', () => {
    expect(CapabilityList.of(surveyOf({ extended: [{ id: 0x18, offset: 0x100, next: 0x202 }] }), 'extended')
      .headerPatches())
      .toEqual([]);
    expect(CapabilityList.of(surveyOf({ extended: [{ id: 0x18, offset: 0x100, next: 0x100 }] }), 'extended')
      .headerPatches())
      .toEqual([]);
  });

  it('leaves the reserved bits of a next pointer it does not change', () => {
    const list = CapabilityList.of(surveyOf({
      extended: [{ id: 0x18, offset: 0x100, next: 0x203 }, { id: 0x18, offset: 0x200 }],
    }), 'extended');
    list.link(synthetic(0x300));
    expect(list.headerPatches().map(({ offset }) => offset)).toEqual([0x200, 0x300]);
    list.link(synthetic(0x180));
    expect(list.headerPatches()[0]).toEqual({ offset: 0x100, mask: 0xfff00000, value: 0x18000000 });
  });

  it('links several, each where a walk comes past it', () => {
    const list = listOf(0x100, 0x400);
    for (const offset of [0x300, 0x200, 0xff8]) list.link(synthetic(offset));
    expect(shown(list)).toBe('100 200 300 400 ff8');
    expect(list.headerPatches().map(({ offset, value }) => [offset, value >>> 20])).toEqual([
      [0x100, 0x200], [0x200, 0x300], [0x300, 0x400], [0x400, 0xff8], [0xff8, 0],
    ]);
  });
});

describe('an empty extended list', () => {
  it('begins with what is linked at 0x100', () => {
    const list = listOf();
    expect(list.needsAnchorFor(0x100)).toBe(false);
    list.link(synthetic(0x100));
    expect(shown(list)).toBe('100');
    expect(list.hasAnchor).toBe(false);
    expect(list.needsAnchorFor(0x200)).toBe(false);
  });

  it('gets an anchor at 0x100, ID 0 and version 0, for whatever is linked elsewhere', () => {
    const list = listOf();
    expect([list.needsAnchorFor(0x200), list.hasAnchor]).toEqual([true, false]);
    list.link(synthetic(0x200));
    expect([list.needsAnchorFor(0x300), list.hasAnchor]).toEqual([false, true]);
    expect(list.entries[0]).toEqual({ offset: 0x100, id: 0, version: 0, origin: 'anchor' });
    expect(list.headerPatches()).toEqual([
      { offset: 0x100, mask: 0xffffffff, value: 0x20000000 }, { offset: 0x200, mask: 0xffffffff, value: 0x0001001b },
    ]);
  });

  it('gets one anchor, not two', () => {
    const list = listOf();
    for (const offset of [0x300, 0x200]) list.link(synthetic(offset));
    expect(shown(list)).toBe('100 200 300');
  });

  it('is the same in whatever order it was filled: what belongs at 0x100 takes the place of the anchor', () => {
    const patches = [[0x100, 0x200, 0x300], [0x300, 0x100, 0x200], [0x200, 0x300, 0x100]].map((order) => {
      const list = listOf();
      for (const offset of order) list.link(synthetic(offset));
      expect([shown(list), list.hasAnchor]).toEqual(['100 200 300', false]);
      return list.headerPatches();
    });
    expect(patches[1]).toEqual(patches[0]);
    expect(patches[2]).toEqual(patches[0]);
  });
});

/** Everything below is inside 0x100..0x13f: capabilities of 8 bytes, gaps of 4 and more between them. */
const reducedEnd = 0x140;
const places = [0x108, 0x10c, 0x114, 0x120, 0x128, 0x138] as const;
const ids = [0x0e, 0x0f, 0x18, 0x0d] as const;

/** Every way to list up to three of the places after 0x100, in every order, without bodies that overlap. */
function* everyOrder(taken: readonly number[] = [0x100]): Generator<readonly number[]> {
  yield taken;
  if (taken.length === ids.length) return;
  for (const place of places) {
    if (taken.every((one) => Math.abs(one - place) >= 8)) yield* everyOrder([...taken, place]);
  }
}

function spaceWith(order: readonly number[]): ConfigSpace {
  // ACS is 8 bytes because its egress control bit is clear.
  const bodyOf = (id: number): readonly number[] => u32(id === 0x0d ? 0x00000001 : 0xa5a5a501);
  return buildConfigSpace({ extended: order.map((offset, index): ExtendedEntry => {
    const id = ids[index] ?? 0;
    return { id, offset, body: bodyOf(id) };
  }) });
}

/** The bits of each DWORD that may differ: next pointers, and the 8 bytes of the new capability. */
function mayChange(order: readonly number[], placed: number): ReadonlyMap<number, number> {
  const headers = order.map((offset): [number, number] => [offset, 0xfff00000]);
  return new Map([...headers, [placed, 0xffffffff], [placed + 4, 0xffffffff]]);
}

function changedElsewhere(before: ConfigSpace, after: ConfigSpace, allowed: ReadonlyMap<number, number>): number[] {
  const changed: number[] = [];
  for (let offset = 0; offset < before.size; offset += 4) {
    const bits = before.u32(offset) ^ after.u32(offset);
    if ((bits & ~(allowed.get(offset) ?? 0)) !== 0) changed.push(offset);
  }
  return changed;
}

/** What these spaces have from the start: any order, and no standard capability. */
const harmless: readonly Finding['kind'][] = ['list-goes-backwards', 'extended-without-express'];

const ascends = (offsets: readonly number[]): boolean =>
  offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] ?? 0));

describe('every list of up to four capabilities and every place in it', () => {
  it('gives a list that ends, keeps the hardware\'s order, and changes next pointers and the new bytes only', () => {
    let linked = 0;
    let refused = 0;
    for (const order of everyOrder()) {
      const space = spaceWith(order);
      const over = survey(space);
      for (let offset = 0x100; offset < reducedEnd; offset += 4) {
        const result = planLayout(requestOver(over, { policy: pinnedAt(offset) }));
        const free = order.every((one) => offset + 8 <= one || one + 8 <= offset);
        if (result.ok !== free) throw new Error(`${order.join(' ')}: ${offset} is ${free ? 'free' : 'taken'}`);
        if (!result.ok) {
          refused += 1;
          continue;
        }
        linked += 1;
        const guest = result.value.guestConfigSpace;
        const seen = survey(guest);
        const walk = seen.capabilities.map((one) => one.offset);
        expect(seen.findings.filter(({ kind }) => !harmless.includes(kind))).toEqual([]);
        expect(walk[0]).toBe(0x100);
        expect(walk.filter((one) => one !== offset)).toEqual(order);
        expect(new Set(walk)).toEqual(new Set([...order, offset]));
        if (ascends(order)) expect(ascends(walk)).toBe(true);
        expect(changedElsewhere(space, guest, mayChange(order, offset))).toEqual([]);
        expect(guest.u32(offset + 4)).toBe(0x1406);
      }
    }
    // Both happen often: neither side of the promise is empty.
    expect([linked, refused].every((count) => count > 200)).toBe(true);
  });

  it('shows a guest the same walk that the layout tells', () => {
    for (const order of everyOrder()) {
      const over = survey(spaceWith(order));
      const result = planLayout(requestOver(over, { policy: pinnedAt(0x800), wanted: [wholePasid] }));
      if (!result.ok) throw new Error('0x800 is free');
      const { layout, guestConfigSpace } = result.value;
      expect(walkOf(guestConfigSpace)).toBe(layout.extendedList.map(({ offset }) => offset.toString(16)).join(' '));
      expect(over.space.patched(layout.patches).patched(layout.patches).equals(guestConfigSpace)).toBe(true);
    }
  });
});
