import { ByteRange, type Survey } from '@cadastre/config-space';
import { type ExtendedEntry, u32 } from '@cadastre/config-space/testing';
import fc from 'fast-check';
import { type PlacementPolicy, type ToldRoom } from './ground.js';
import { knownQuirks } from './known-quirks.js';
import { type Layout, type Placement } from './layout.js';
import { planLayout, type LayoutRequest, type WantedCapability } from './plan-layout.js';
import { defaultStrategies, strategies } from './refusal.js';
import { type SyntheticName } from './synthetic-capability.js';
import { planned, policy, refusalOf, requestOver, surveyOf, walkOf, wholePasid } from './testing.js';

const wants = {
  pasid: wholePasid, pri: { name: 'pri', registers: {} }, ats: { name: 'ats', registers: {} },
  dsn: { name: 'dsn', registers: {} }, acs: { name: 'acs', registers: {} }, dvsec: { name: 'dvsec', registers: {} },
} as const satisfies Partial<Record<SyntheticName, WantedCapability>>;
type Want = keyof typeof wants;
const all = Object.keys(wants) as readonly Want[];
const wanted = (...names: readonly Want[]): readonly WantedCapability[] => names.map((name) => wants[name]);
const places = ({ placements }: Pick<Layout, 'placements'>): Readonly<Record<string, string>> =>
  Object.fromEntries(placements.map(({ name, offset, strategy }) => [name, `${offset.toString(16)} ${strategy}`]));

function permutations<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((one) => permutations(items.filter((other) => other !== one)).map((rest) => [one, ...rest]));
}

/** What came of a request, every word of it. */
function outcome(request: LayoutRequest): string {
  const result = planLayout(request);
  if (!result.ok) return JSON.stringify(result.refusal);
  const { layout, layoutDigest, guestConfigSpaceDigest } = result.value;
  return JSON.stringify([layout, layoutDigest, guestConfigSpaceDigest]);
}

const aer = { id: 0x01, offset: 0x100 } as const;
const over = surveyOf({ extended: [aer] });
const byDefault = policy({ strategies: defaultStrategies });

describe('what has one place gets it before anything that could go elsewhere', () => {
  it('where a driver has the offset built in, by the table', () => {
    const dlb = surveyOf({ vendorId: 0x8086, deviceId: 0x2710, extended: [aer] });
    const { layout } = planned(dlb, { policy: byDefault, quirks: knownQuirks, wanted: wanted('ats', 'pri', 'pasid') });
    expect(places(layout)).toEqual({ pasid: '148 table', pri: '134 gap', ats: '150 gap' });
  });

  it('where the operator pinned one of several', () => {
    const pinned = policy({ strategies: ['pinned', ...defaultStrategies], pinned: { pri: 0x134 },
      pinnedOrNowhere: true });
    const { layout } = planned(over, { policy: pinned, wanted: wanted('pasid', 'pri') });
    expect(places(layout)).toEqual({ pri: '134 pinned', pasid: '144 gap' });
  });

  it('where a persona has one, and where the physical function has another', () => {
    const persona = { persona: 'nic@1', places: { ats: 0x134 } };
    const family = { address: '0000:3b:00.0', survey: surveyOf({ extended: [aer, { id: 0x13, offset: 0x140 }] }) };
    const { layout } = planned(over, { policy: byDefault, wanted: wanted('pasid', 'pri', 'ats'), persona,
      physicalFunction: family });
    expect(places(layout)).toEqual({ ats: '134 persona', pri: '140 physical', pasid: '150 gap' });
  });

  it('in the narrower room first, and in room of its own before everybody\'s', () => {
    const room = (name: Want | null, offset: number, length: number): ToldRoom =>
      ({ by: 'plugin', source: 'plugin x 1', name, range: { offset, length } });
    const rooms = (...told: readonly ToldRoom[]): Readonly<Record<string, string>> =>
      places(planned(over, {
        policy: policy({ strategies: ['dvsec'] }), told, wanted: wanted('pasid', 'acs') }).layout);
    expect(rooms(room('pasid', 0x400, 0x10), room('acs', 0x400, 8))).toEqual({ acs: '400 dvsec', pasid: '408 dvsec' });
    expect(rooms(room(null, 0x400, 0x10), room('acs', 0x400, 8))).toEqual({ acs: '400 dvsec', pasid: '408 dvsec' });
    // Of two rooms for it, its own is looked at first.
    expect(rooms(room(null, 0x400, 0x10), room('acs', 0x500, 8))).toEqual({ acs: '500 dvsec', pasid: '400 dvsec' });
  });

  it('at 0x100 of an empty list, where an anchor would be otherwise', () => {
    const empty = surveyOf({});
    const pinned = policy({ strategies: ['pinned'], pinned: { pasid: 0x200, pri: 0x100 } });
    const { layout, guestConfigSpace } = planned(empty, { policy: pinned, wanted: wanted('pasid', 'pri') });
    expect(layout.extendedList.map(({ origin }) => origin)).toEqual(['synthetic', 'synthetic']);
    expect(walkOf(guestConfigSpace)).toBe('100 200');
  });

  it('unless the policy puts the gap first', () => {
    const dlb = surveyOf({ vendorId: 0x8086, deviceId: 0x2710, extended: [aer] });
    const gapFirst = policy({ strategies: ['gap', 'table'] });
    const { layout } = planned(dlb, { policy: gapFirst, quirks: knownQuirks, wanted: wanted('pri', 'pasid') });
    expect(places(layout)).toEqual({ pasid: '134 gap', pri: '13c gap' });
  });

  it('and of two that want the same place the operator\'s; the other one goes where it can', () => {
    const pinned = policy({ strategies: ['pinned', ...defaultStrategies], pinned: { pri: 0x200 } });
    const persona = { persona: 'nic@1', places: { pasid: 0x200 } };
    const { layout } = planned(over, { policy: pinned, persona, wanted: wanted('pasid', 'pri') });
    expect(places(layout)).toEqual({ pri: '200 pinned', pasid: '134 gap' });
    expect(layout.placements.find(({ name }) => name === 'pasid')?.refused)
      .toContainEqual({ strategy: 'persona', because: expect.objectContaining({ by: 'PRI', from: 0x200 }) as object });
  });
});

describe('in the gaps', () => {
  it('PASID is where it would be alone, whatever else is wanted', () => {
    for (const names of permutations<Want>(['pri', 'pasid', 'dsn'])) {
      expect(places(planned(over, { wanted: wanted(...names) }).layout)['pasid']).toBe('134 gap');
    }
  });

  it('the longest goes first where short ones would leave it no room', () => {
    const allowedRanges = [{ offset: 0x400, length: 16 }, { offset: 0x500, length: 8 }];
    const narrow = policy({ allowedRanges });
    expect(places(planned(over, { policy: narrow, wanted: wanted('pasid', 'pri') }).layout))
      .toEqual({ pri: '400 gap', pasid: '500 gap' });
    expect(refusalOf(over, { policy: narrow, wanted: wanted('ats', 'pri', 'pasid') }))
      .toMatchObject({ kind: 'no-place', name: 'pri' });
  });
});

describe('every order of up to four wanted capabilities, in a small space, gives one and the same layout', () => {
  const worldEnd = 0x160;
  const fill = Array.from({ length: 0x1000 - worldEnd }, () => 0xa5);
  const worlds: readonly (readonly ExtendedEntry[])[] = [
    [], [{ id: 0x18, offset: 0x100 }], [{ id: 0x18, offset: 0x120 }, { id: 0x0e, offset: 0x108 }],
    [{ id: 0x18, offset: 0x100 }, { id: 0x0f, offset: 0x140 }, { id: 0x0e, offset: 0x120 }],
    [{ id: 0x1b, offset: 0x110 }, { id: 0x18, offset: 0x130 }],
  ];
  const pins: readonly PlacementPolicy['pinned'][] = [
    {}, { pri: 0x110 }, { pri: 0x110, ats: 0x108 }, { pasid: 0x114, pri: 0x110 }, { dsn: 0x150, acs: 0x100 }];
  const chosen = all.flatMap((_, index) => [all.slice(index, index + 4), all.slice(index, index + 3)])
    .concat([['pasid', 'pri', 'ats', 'dvsec'], ['pasid', 'dsn', 'acs', 'dvsec'], ['ats', 'pri', 'dsn', 'dvsec']]);
  const orders: readonly PlacementPolicy['strategies'][] = [defaultStrategies, ['pinned', ...defaultStrategies],
    ['gap', 'pinned'], ['pinned', 'physical']];

  it(`(${worlds.length} spaces, ${chosen.length} sets, ${pins.length} pins, ${orders.length} policies)`, () => {
    const tally = { planned: 0, refused: 0 };
    for (const extended of worlds) {
      const small = surveyOf({ extended, bytes: { [worldEnd]: fill } });
      for (const pinned of pins) for (const order of orders) for (const names of chosen) {
        const [first = '', ...rest] = permutations(names).map((one) => outcome(requestOver(small, {
          wanted: wanted(...one), policy: policy({ strategies: order, pinned }) })));
        tally[first.startsWith('{"kind"') ? 'refused' : 'planned'] += 1;
        const odd = rest.find((one) => one !== first);
        if (odd !== undefined) throw new Error(`${names.join(' ')}: ${first} is not ${odd}`);
      }
    }
    expect(tally.planned).toBeGreaterThan(200);
    expect(tally.refused).toBeGreaterThan(200);
  });
});

const anyOffset = fc.integer({ min: 0x40, max: 0xfe }).map((index) => index * 4);
const anySurvey: fc.Arbitrary<Survey> = fc.record({
  extended: fc.uniqueArray(fc.record({ id: fc.constantFrom(0x01, 0x0b, 0x18, 0x1b, 0x13, 0x99), offset: anyOffset,
    body: fc.nat(0x40).map((length) => u32((length << 20) >>> 0)) }), {
    maxLength: 4, selector: ({ offset }) => offset }),
  bytes: fc.dictionary(fc.integer({ min: 0x100, max: 0xff0 }).map(String), fc.constant([1, 2, 3]), { maxKeys: 6 }),
}).map((parts) => surveyOf(parts));
const anyPlaces = fc.dictionary(fc.constantFrom(...all), anyOffset, { maxKeys: 4 });
const anyRange = fc.record({ offset: anyOffset, length: fc.integer({ min: 2, max: 40 }).map((dwords) => dwords * 4) });
const anyRequest: fc.Arbitrary<LayoutRequest> = fc.record({
  survey: anySurvey, wanted: fc.shuffledSubarray([...all], { minLength: 2, maxLength: 4 })
    .map((names) => wanted(...names)),
  policy: fc.record({
    strategies: fc.oneof(fc.constant(['pinned', ...defaultStrategies] as const),
      fc.shuffledSubarray([...strategies], { minLength: 2 })),
    pinned: anyPlaces, allowedRanges: fc.constant([]),
    forbiddenRanges: fc.array(anyRange.map((range) => ({ ...range, reason: 'kept' })), { maxLength: 1 }) }),
  persona: fc.record({ persona: fc.constant('any@1'), places: anyPlaces }),
  told: fc.array(fc.record({ by: fc.constant('plugin'), source: fc.constant('plugin x 1'), range: anyRange,
    name: fc.option(fc.constantFrom(...all)) }), { maxLength: 2 }),
  physicalFunction: fc.option(anySurvey.map((survey) => ({ address: '0000:3b:00.0', survey }))),
});

describe('whatever the space, the policy and the places', () => {
  it('the order of what is wanted tells nothing', () => {
    const tally = { planned: 0, refused: 0 };
    fc.assert(fc.property(anyRequest, (request) => {
      const [first = '', ...rest] = permutations(request.wanted).map((one) => outcome({ ...request, wanted: one }));
      tally[first.startsWith('{"kind"') ? 'refused' : 'planned'] += 1;
      for (const one of rest) expect(one).toBe(first);
    }), { numRuns: 300 });
    expect(tally.planned).toBeGreaterThan(60);
    expect(tally.refused).toBeGreaterThan(10);
  });

  it('each gets the one place it is meant for, when those places do not meet', () => {
    let intended = 0;
    fc.assert(fc.property(anyRequest, (request) => {
      const alone = request.wanted.map((one): Placement | undefined => {
        const result = planLayout({ ...request, wanted: [one] });
        return result.ok ? result.value.layout.placements[0] : undefined;
      });
      const meant = alone.filter((one): one is Placement => one !== undefined && hasOnePlace(one));
      if (meant.length < 2 || alone.includes(undefined)) return;
      if (meant.some((one) => meant.some((other) => other !== one && ByteRange.overlaps(one, other)))) return;
      const together = planLayout(request);
      if (!together.ok) {
        // What has a choice may be refused for lack of room; what has its one place never is.
        const { refusal } = together;
        expect(meant.map(({ name }) => name)).not.toContain(refusal.kind === 'no-place' ? refusal.name : null);
        return;
      }
      intended += 1;
      for (const { name, offset, strategy } of meant) {
        expect(together.value.layout.placements.find((one) => one.name === name)).toMatchObject({ offset, strategy });
      }
    }), { numRuns: 1500 });
    expect(intended).toBeGreaterThan(100);
  });
});

function hasOnePlace({ strategy }: Placement): boolean {
  return strategy === 'pinned' || strategy === 'persona' || strategy === 'physical';
}
