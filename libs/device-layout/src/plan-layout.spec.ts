import { ByteRange, ConfigSpace, findCapability, survey, type Survey } from '@cadastre/config-space';
import { buildConfigSpace, type ConfigSpaceParts, express, u32 } from '@cadastre/config-space/testing';
import { type LayoutRequest, plannerVersion } from './plan-layout.js';
import { type LayoutRefusal, strategies } from './refusal.js';
import {
  physicalFunction, pinnedAt, planned, policy, reasonsOf, refusalOf, surveyOf, walkOf, wholePasid,
} from './testing.js';

const aer = { id: 0x01, offset: 0x100 } as const;
const pasid = { id: 0x1b, offset: 0x2d0 } as const;
const everyStrategy = policy({ strategies, pinned: { pasid: 0x400 } });

describe('a planned layout', () => {
  it('shows a guest the capability, its register values and a list that leads to it', () => {
    const { layout, guestConfigSpace: guest } = planned(surveyOf({ extended: [aer, { id: 0x0f, offset: 0x200 }] }));
    expect(walkOf(guest)).toBe('100 134 200');
    expect([guest.u32(0x134), guest.u32(0x138)]).toEqual([0x2001001b, 0x00001406]);
    expect(layout.planner).toBe(plannerVersion);
    expect(layout.placements).toEqual([{
      name: 'pasid', space: 'extended', id: 0x1b, version: 1, offset: 0x134, length: 8, strategy: 'gap',
      cautions: [], refused: [],
      reason: { kind: 'lowest-proven-gap', gapOffset: 0x12c, gapLength: 0xd4 }, registers: wholePasid.registers,
    }]);
  });

  it('is patches over the original, one for each DWORD, in offset order', () => {
    const over = surveyOf({ extended: [aer] });
    const before = over.space.toBytes();
    const { layout, guestConfigSpace } = planned(over);
    expect(layout.patches).toEqual([
      { offset: 0x100, mask: 0xfff00000, value: 0x13400000 },
      { offset: 0x134, mask: 0xffffffff, value: 0x0001001b },
      { offset: 0x138, mask: 0xffffffff, value: 0x00001406 },
    ]);
    expect(over.space.toBytes()).toEqual(before);
    expect(over.space.patched(layout.patches).equals(guestConfigSpace)).toBe(true);
  });

  it('has no patches when nothing is wanted, even over a space nothing could be placed in', () => {
    const broken: readonly ConfigSpaceParts[] = [
      {}, { size: 256 }, { extended: [{ ...aer, next: 0x100 }] }, { extended: [{ ...aer, next: 0x200 }] },
      { extended: [{ ...aer, next: 0x40 }] }, { bytes: { 0x100: [0xff, 0xff, 0xff, 0xff] } },
    ];
    for (const parts of broken) {
      const over = surveyOf(parts);
      const { layout, guestConfigSpace } = planned(over, { wanted: [] });
      expect(layout).toMatchObject({ placements: [], patches: [] });
      expect(guestConfigSpace.equals(over.space)).toBe(true);
    }
  });

  it('goes on with a list that leads backwards, without an end in the middle', () => {
    const over = surveyOf({ extended: [aer, { id: 0x18, offset: 0x400 }, { id: 0x0f, offset: 0x200 }] });
    expect(walkOf(planned(over, { policy: pinnedAt(0x300) }).guestConfigSpace)).toBe('100 300 400 200');
    expect(walkOf(planned(over, { policy: pinnedAt(0xff8) }).guestConfigSpace)).toBe('100 400 200 ff8');
  });

  it('is planned for a bridge like for any function: its header is as long', () => {
    expect(planned(surveyOf({ headerType: 1, classCode: 0x060400, extended: [aer] })).layout.placements)
      .toMatchObject([{ offset: 0x134 }]);
  });

  it('throws when a register value does not fit: who granted it has a bug', () => {
    const wanted = [{ name: 'pasid', registers: { maxPasidWidth: 32 } }] as const;
    expect(() => planned(surveyOf({ extended: [aer] }), { wanted })).toThrow('maxPasidWidth = 32 does not fit 5 bits');
  });
});

describe('the last 8 bytes, where VMMs place PASID by default', () => {
  it('are refused when they are live, and another place is found', () => {
    const over = surveyOf({ extended: [aer], bytes: { 0xff8: [0x5a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] } });
    expect(reasonsOf(refusalOf(over, { policy: pinnedAt(0xff8) }))).toEqual([{
      kind: 'offset-occupied', offset: 0xff8, length: 8, by: 'unknown-non-zero', owner: 'unknown-non-zero',
      from: 0xff8, to: 0xfff }]);
    const { placements: [placement] } = planned(over, {
      policy: pinnedAt(0xff8, { strategies: ['pinned', 'gap'] }) }).layout;
    expect(placement).toMatchObject({ offset: 0x134, strategy: 'gap', refused: [{ strategy: 'pinned' }] });
  });

  it('are refused when a vendor capability spans them, whose header is far below', () => {
    const vendor = { id: 0x0b, offset: 0xfc0, body: u32(0x04000001) };
    expect(reasonsOf(refusalOf(surveyOf({ extended: [aer, vendor] }), { policy: pinnedAt(0xff8) }))).toEqual([{
      kind: 'offset-occupied', offset: 0xff8, length: 8, by: 'VSEC', owner: 'capability', from: 0xfc0, to: 0xfff }]);
  });
});

describe('a capability the hardware lists itself', () => {
  const own: ConfigSpaceParts = {
    extended: [aer, { ...pasid, body: [0x06, 0x14, 0x07, 0x00] }, { id: 0x0f, offset: 0x400 }] };

  it('stays in its place: only its body is patched, and no second one is linked', () => {
    const narrower = [{ name: 'pasid', registers: { maxPasidWidth: 16 } }] as const;
    const { layout, guestConfigSpace } = planned(surveyOf(own), { wanted: narrower, policy: policy({ strategies }) });
    expect(layout.patches).toEqual([{ offset: 0x2d4, mask: 0xffffffff, value: 0x1000 }]);
    expect(walkOf(guestConfigSpace)).toBe('100 2d0 400');
    expect(layout.extendedList.map(({ origin }) => origin)).toEqual(['physical', 'physical', 'physical']);
    expect(layout.placements).toMatchObject([{ offset: 0x2d0, strategy: 'physical',
      reason: { kind: 'hardware-has-it-here' } }]);
  });

  it('keeps the version its header has', () => {
    const { layout } = planned(surveyOf({ extended: [aer, { ...pasid, version: 2 }] }), {
      policy: policy({ strategies: ['physical'] }) });
    expect(layout.placements).toMatchObject([{ version: 2 }]);
    expect(layout.extendedList[1]).toEqual({ offset: 0x2d0, id: 0x1b, version: 2, origin: 'physical' });
  });

  it.each<[string, ConfigSpaceParts, object]>([
    ['listed twice', { extended: [aer, pasid, { ...pasid, offset: 0x300 }] }, { kind: 'listed-twice' }],
    ['cut by the end', { extended: [aer, { ...pasid, offset: 0xffc }] }, { kind: 'outside-extended-space' }],
    ['overlapped by a later header', { extended: [aer, pasid, { id: 0x0f, offset: 0x2d4 }] },
      { kind: 'offset-occupied', by: 'ATS' }],
    ['overlapped by an earlier header behind it in the list', { extended: [
      aer, pasid, { id: 0x0b, offset: 0x2c0, body: u32(0x02000001) }] }, { kind: 'offset-occupied', by: 'VSEC' }],
  ])('is refused by every strategy when it is %s', (_, parts, because) => {
    const pinned = { pasid: findCapability(surveyOf(parts), 'extended', 0x1b)?.offset ?? 0 };
    expect(reasonsOf(refusalOf(surveyOf(parts), { policy: policy({ strategies, pinned }) })))
      .toMatchObject([{ kind: 'no-persona' }, because, because, { kind: 'nothing-told' }, { kind: 'no-row' },
        { kind: 'listed-already' }]);
  });
});

describe('a VF', () => {
  const request = (change: Partial<LayoutRequest>) =>
    ({ policy: policy({ strategies: ['physical', 'gap'] }), ...change });

  it('gets the capability where its physical function has it', () => {
    const { layout, guestConfigSpace } = planned(surveyOf({ extended: [aer] }, 'vf'), request({
      physicalFunction: physicalFunction({ extended: [aer, pasid] }) }));
    expect(layout.placements).toMatchObject([{ offset: 0x2d0, strategy: 'physical', refused: [] }]);
    expect(walkOf(guestConfigSpace)).toBe('100 2d0');
  });

  it('gets it in a gap when its physical function is unknown, or has the place where the VF has something else', () => {
    const vf = surveyOf({ extended: [aer, { id: 0x0f, offset: 0x2d0 }] }, 'vf');
    const unknown = planned(vf, request({ physicalFunction: { address: null, survey: null } }));
    const taken = planned(vf, request({ physicalFunction: physicalFunction({ extended: [aer, pasid] }) }));
    expect(unknown.layout.placements).toMatchObject([
      { offset: 0x134, refused: [{ strategy: 'physical', because: { kind: 'physical-function-unknown' } }] }]);
    expect(taken.layout.placements).toMatchObject([
      { offset: 0x134, refused: [{ strategy: 'physical', because: { kind: 'offset-occupied', by: 'ATS' } }] }]);
  });
});

describe('a function without an extended list', () => {
  it('gets one that begins with the capability', () => {
    const { layout, guestConfigSpace } = planned(surveyOf({}));
    expect(walkOf(guestConfigSpace)).toBe('100');
    expect(layout.placements).toMatchObject([{ offset: 0x100, cautions: [{ kind: 'no-extended-list' }] }]);
    expect(layout.patches.map(({ offset }) => offset)).toEqual([0x100, 0x104]);
  });

  it('gets one that begins with an anchor of ID 0 and version 0, when the capability is pinned elsewhere', () => {
    const { layout, guestConfigSpace } = planned(surveyOf({}), { policy: pinnedAt(0xff8) });
    expect(guestConfigSpace.u32(0x100)).toBe(0xff800000);
    expect(layout.extendedList).toEqual([
      { offset: 0x100, id: 0, version: 0, origin: 'anchor' },
      { offset: 0xff8, id: 0x1b, version: 1, origin: 'synthetic' },
    ]);
  });

  it('gets none where the anchor must not be', () => {
    const forbiddenRanges = [{ offset: 0x100, length: 4, reason: 'kept for firmware' }];
    expect(reasonsOf(refusalOf(surveyOf({}), { policy: pinnedAt(0xff8, { forbiddenRanges }) }))).toMatchObject([
      { kind: 'list-cannot-begin', offset: 0xff8, because: { kind: 'forbidden', reason: 'kept for firmware' } }]);
  });
});

describe('no layout is made', () => {
  const extended = [aer, { id: 0x18, offset: 0x200 }] as const;
  const wrong = (...last: { readonly next: number }[]): ConfigSpaceParts =>
    ({ extended: [aer, { ...extended[1], ...last[0] }] });

  it.each<[string, Survey, LayoutRefusal]>([
    ['over a capture that stopped early', surveyOf({ extended, capturedBytes: 0x800 }),
      { kind: 'space-not-whole', capturedBytes: 0x800, sizeBytes: 4096 }],
    ['over the header alone', surveyOf({ standard: [], size: 256, capturedBytes: 64 }),
      { kind: 'space-not-whole', capturedBytes: 64, sizeBytes: 256 }],
    ['over a function that is gone', survey(allOnes()), { kind: 'function-gone' }],
    ['in 256 bytes', surveyOf({ size: 256 }), { kind: 'no-extended-space', sizeBytes: 256 }],
    ['where extended space is not readable', surveyOf({ bytes: { 0x100: [0xff, 0xff, 0xff, 0xff] } }),
      { kind: 'extended-space-unreadable' }],
    ['in a list that loops', surveyOf(wrong({ next: 0x100 })),
      { kind: 'extended-list-broken', finding: {
        kind: 'capability-list-loops', space: 'extended', at: 0x200, pointer: 0x100 } }],
    ['in a list that leads below 0x100', surveyOf(wrong({ next: 0x40 })),
      { kind: 'extended-list-broken', finding: {
        kind: 'pointer-below-space', space: 'extended', at: 0x200, pointer: 0x40, least: 0x100 } }],
    ['in a list that leads to nothing', surveyOf(wrong({ next: 0x300 })),
      { kind: 'extended-list-broken', finding: { kind: 'header-zero', space: 'extended', offset: 0x300 } }],
    ['in a list that leads to all-ones', surveyOf({ ...wrong({ next: 0x300 }), bytes: {
      0x300: [0xff, 0xff, 0xff, 0xff] } }),
      { kind: 'extended-list-broken', finding: { kind: 'header-all-ones', space: 'extended', offset: 0x300 } }],
  ])('%s', (_, over, refusal) => {
    expect(refusalOf(over, { policy: everyStrategy })).toEqual(refusal);
  });

  it('of a capability that is wanted twice', () => {
    expect(refusalOf(surveyOf({ extended }), { wanted: [wholePasid, wholePasid] }))
      .toEqual({ kind: 'capability-wanted-twice', name: 'pasid' });
  });

  it('when no strategy finds a place; each is told', () => {
    const full = surveyOf({ extended: [{ id: 0x0b, offset: 0x100, body: u32(0xf0000001) }] });
    expect(refusalOf(full, { policy: everyStrategy })).toMatchObject({
      kind: 'no-place', name: 'pasid', length: 8, refused: [
        { strategy: 'persona', because: { kind: 'no-persona' } },
        { strategy: 'pinned', because: { kind: 'offset-occupied', by: 'VSEC', from: 0x100, to: 0xfff } },
        { strategy: 'physical', because: { kind: 'not-in-hardware' } },
        { strategy: 'dvsec', because: { kind: 'nothing-told' } },
        { strategy: 'table', because: { kind: 'no-row' } },
        { strategy: 'gap', because: { kind: 'no-gap', needed: 8 } },
      ] });
  });

  it('when no strategy is allowed', () => {
    expect(refusalOf(surveyOf({ extended }), { policy: policy({ strategies: [] }) }))
      .toEqual({ kind: 'no-place', name: 'pasid', length: 8, refused: [] });
  });

  it('but is where only the standard list is broken: it tells nothing about extended space', () => {
    const loop = { ...express(), next: 0x40 };
    expect(planned(surveyOf({ standard: [loop], extended })).layout.placements).toMatchObject([{ offset: 0x134 }]);
  });

  it('but is where a next pointer only has reserved bits set', () => {
    const over = surveyOf({ extended: [{ ...aer, next: 0x203 }, extended[1]] });
    expect(walkOf(planned(over).guestConfigSpace)).toBe('100 134 200');
  });
});

describe('every offset of a space with all kinds of owners', () => {
  it('is accepted exactly when its 8 bytes belong to nobody', () => {
    const over = surveyOf({
      extended: [aer, { id: 0x99, offset: 0x300 }, { id: 0x18, offset: 0x340 }],
      unlinked: [{ id: 0x04, offset: 0x200, next: 0x300 }, { id: 0x0d, offset: 0x400 }],
      bytes: { 0x283: [1], 0x600: Array.from({ length: 64 }, () => 0xff), 0xff8: [0x5a] },
    }, 'none', [{ offset: 0x700, length: 0x100 }]);
    for (let offset = 0; offset <= 0x1004; offset += 2) {
      const range = { offset, length: 8 };
      const inSpace = offset % 4 === 0 && offset >= 0x100 && offset <= 0xff8;
      const free = inSpace && over.owners.firstTaken(range) === undefined;
      if (free) {
        const { layout: { placements: [placement] } } = planned(over, { policy: pinnedAt(offset) });
        expect(placement && ByteRange.contains(range, placement)).toBe(true);
      } else {
        expect(reasonsOf(refusalOf(over, { policy: pinnedAt(offset) }))).toHaveLength(1);
      }
    }
  });
});

function allOnes(): ConfigSpace {
  const bytes = buildConfigSpace().toBytes().fill(0xff);
  const space = ConfigSpace.from(bytes);
  if (!space.ok) throw new Error('4096 bytes are a config space');
  return space.value;
}
