import { ByteRange, findCapability, occupiedEnd, survey, type Survey } from '@cadastre/config-space';
import { type ConfigSpaceParts, type ExtendedEntry, u32 } from '@cadastre/config-space/testing';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';
import { explainRefusal } from './explain.js';
import { type PlacementPolicy } from './ground.js';
import { type Placement } from './layout.js';
import { type LayoutRequest, planLayout, type PlannedLayout } from './plan-layout.js';
import { strategies } from './refusal.js';
import { surveyOf, wholePasid } from './testing.js';

const anyDword = fc.integer({ min: 0x40, max: 0x3ff }).map((index) => index * 4);
const anyOffset = fc.oneof(
  { weight: 4, arbitrary: anyDword },
  { weight: 2, arbitrary: fc.constantFrom(0x100, 0x104, 0xff4, 0xff8, 0xffc) });
/** IDs with fixed, told and unknown lengths; one nobody has a row for; PASID itself. */
const anyId = fc.constantFrom(0x00, 0x01, 0x03, 0x0b, 0x0f, 0x15, 0x18, 0x1b, 0x1b, 0x23, 0x2c, 0x99);
const anyRange = fc.record({
  offset: fc.integer({ min: 0x80, max: 0x1000 }), length: fc.oneof(fc.nat(0x20), fc.nat(0x1000)) });

const anyEntry: fc.Arbitrary<ExtendedEntry> = fc.record({
  id: anyId, offset: anyOffset, version: fc.integer({ min: 0, max: 2 }),
  // The length register of VSEC and DVSEC is in bits 31:20.
  body: fc.tuple(fc.nat(0x60), fc.nat(0xffff)).map(([length, low]) => u32(((length << 20) | low) >>> 0)),
}).map((entry) => (entry.offset === 0xffc ? { ...entry, body: [] } : entry));

const anyList = fc.uniqueArray(anyEntry, { maxLength: 7, selector: ({ offset }) => offset });
/** A next pointer that leads anywhere: back, below 0x100, into a body, to reserved bits. */
const anyNext = fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, anyDword, fc.nat(0xfff));
const anyJunk = fc.dictionary(
  fc.integer({ min: 0x100, max: 0xff0 }).map(String),
  fc.oneof(
    fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 12 }), fc.constant(new Array(16).fill(0xff))),
  { maxKeys: 5 });

const anyParts: fc.Arbitrary<ConfigSpaceParts> = fc.record({
  extended: fc.tuple(anyList, anyNext).map(([list, next]) => list.map((entry, index) =>
    (next !== undefined && index === list.length - 1 ? { ...entry, next } : entry))),
  unlinked: fc.array(fc.tuple(anyEntry, fc.oneof(fc.constant(0), anyDword))
    .map(([entry, next]) => ({ ...entry, next })), { maxLength: 2 }),
  bytes: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 2, arbitrary: anyJunk }),
  headerType: fc.constantFrom(0, 0, 1),
  status: fc.constantFrom(0x10, 0),
});

const anySurvey = fc.tuple(anyParts, fc.constantFrom('none', 'pf', 'vf'), fc.array(anyRange, { maxLength: 1 }))
  .map(([parts, role, quirks]) => surveyOf(parts, role, quirks));

const anyPolicy: fc.Arbitrary<PlacementPolicy> = fc.record({
  strategies: fc.shuffledSubarray([...strategies], { minLength: 1 }),
  pinned: fc.oneof(
    fc.constant({}),
    fc.oneof({ weight: 6, arbitrary: anyOffset }, fc.integer({ min: -8, max: 0x1010 })).map((pasid) => ({ pasid }))),
  allowedRanges: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(anyRange, { maxLength: 2 })),
  forbiddenRanges: fc.array(anyRange.map((range) => ({ ...range, reason: 'kept' })), { maxLength: 1 }),
});

const anyRequest: fc.Arbitrary<LayoutRequest> = fc.record({
  survey: anySurvey, policy: anyPolicy, wanted: fc.constant([wholePasid]),
  physicalFunction: fc.option(fc.record({
    address: fc.option(fc.constant('0000:3b:00.0')), survey: fc.option(anySurvey) })),
});

const runs = 1500;
const seen = { planned: 0, ofTheHardware: 0, refused: 0, unfit: 0 };

/** Asks `promise` of every plan that any request gets. */
function everyPlan(promise: (plan: PlannedLayout, placement: Placement, request: LayoutRequest) => void): void {
  fc.assert(fc.property(anyRequest, (request) => {
    const result = planLayout(request);
    if (!result.ok) return;
    const [placement] = result.value.layout.placements;
    if (!placement) throw new Error('what was wanted was not placed');
    promise(result.value, placement, request);
  }), { numRuns: runs });
}

const isOwn = (over: Survey, placement: Placement): boolean =>
  findCapability(over, 'extended', placement.id)?.offset === placement.offset;

describe('whatever the space and whatever the policy', () => {
  it('a request is answered, never thrown at, and a refusal names every strategy that was tried', () => {
    fc.assert(fc.property(anyRequest, (request) => {
      const result = planLayout(request);
      if (result.ok) {
        const [placement] = result.value.layout.placements;
        const own = placement && isOwn(request.survey, placement);
        seen[own ? 'ofTheHardware' : 'planned'] += 1;
        return;
      }
      seen[result.refusal.kind === 'no-place' ? 'refused' : 'unfit'] += 1;
      expect(explainRefusal(result.refusal)).toMatch(/^.{20,}$/);
      expect(canonicalJson(result.refusal)).toContain(result.refusal.kind);
      if (result.refusal.kind !== 'no-place') return;
      const tried = new Set(result.refusal.refused.map(({ strategy }) => strategy));
      expect([...tried]).toEqual(request.policy.strategies);
    }), { numRuns: runs });
    // The spaces drawn here are neither all hopeless nor all easy.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(runs / 150);
  });

  it('no placed byte had an owner, unless the hardware has the capability there and shares its bytes with none', () => {
    everyPlan(({ layout }, placement, { survey: over }) => {
      if (!isOwn(over, placement)) {
        expect(over.owners.firstTaken(placement)).toBeUndefined();
        const anchor = layout.extendedList.find(({ origin }) => origin === 'anchor');
        if (anchor) expect(over.owners.firstTaken({ offset: anchor.offset, length: 4 })).toBeUndefined();
        return;
      }
      const others = over.capabilities.filter((one) => one.offset !== placement.offset
        && ByteRange.overlaps({ offset: one.offset, length: occupiedEnd(one) - one.offset }, placement));
      expect(others).toEqual([]);
    });
  });

  it('nothing changes but next pointers of linked headers, the anchor, and the bytes of the capability', () => {
    everyPlan(({ guestConfigSpace, layout }, placement, { survey: over }) => {
      const own = isOwn(over, placement);
      const allowed = new Map(over.capabilities.filter((one) => one.space === 'extended')
        .map((one): [number, number] => [one.offset, own ? 0 : 0xfff00000]));
      if (layout.extendedList[0]?.origin === 'anchor') allowed.set(0x100, 0xffffffff);
      if (!own) allowed.set(placement.offset, 0xffffffff);
      allowed.set(placement.offset + 4, 0xffffffff);
      for (let offset = 0; offset < over.space.size; offset += 4) {
        const bits = over.space.u32(offset) ^ guestConfigSpace.u32(offset);
        if ((bits & ~(allowed.get(offset) ?? 0)) !== 0) throw new Error(`0x${offset.toString(16)} changed`);
      }
    });
  });

  it('a guest that walks the list finds the capability, everything the hardware lists, and an end', () => {
    everyPlan(({ guestConfigSpace, layout }, placement, { survey: over }) => {
      const guest = survey(guestConfigSpace);
      const walk = guest.capabilities.filter((one) => one.space === 'extended').map(({ offset }) => offset);
      expect(findCapability(guest, 'extended', 0x1b)).toMatchObject({
        offset: placement.offset, length: 8, version: placement.version });
      expect(guestConfigSpace.u32(placement.offset + 4)).toBe(0x1406);
      expect(walk).toEqual(layout.extendedList.map(({ offset }) => offset));
      const physical = over.capabilities.filter((one) => one.space === 'extended').map(({ offset }) => offset);
      const added = layout.extendedList.filter(({ origin }) => origin !== 'physical').map(({ offset }) => offset);
      expect(walk.filter((offset) => !added.includes(offset))).toEqual(physical);
      expect(guest.findings.map(({ kind }) => kind)).not.toContain('capability-list-loops');
      expect(guest.findings.map(({ kind }) => kind)).not.toContain('header-zero');
    });
  });

  it('the same request gives the same layout and digests, and its patches may be applied again', () => {
    everyPlan((plan, _, request) => {
      const again = planLayout(request);
      expect(again).toMatchObject({ value: {
        layout: plan.layout, layoutDigest: plan.layoutDigest, guestConfigSpaceDigest: plan.guestConfigSpaceDigest } });
      expect(plan.guestConfigSpace.patched(plan.layout.patches).equals(plan.guestConfigSpace)).toBe(true);
      expect(canonicalJson(plan.layout)).toContain('"planner"');
    });
  });

  it('the policy is honoured: allowed ranges, forbidden ranges, strategies, the pinned offset', () => {
    everyPlan(({ layout }, placement, { policy }) => {
      const { allowedRanges, forbiddenRanges } = policy;
      if (allowedRanges.length > 0) {
        expect(allowedRanges.some((one) => ByteRange.contains(one, placement))).toBe(true);
      }
      const anchor = layout.extendedList.filter(({ origin }) => origin === 'anchor')
        .map(({ offset }) => ({ offset, length: 4 }));
      for (const range of [placement, ...anchor]) {
        expect(forbiddenRanges.some((one) => ByteRange.overlaps(one, range))).toBe(false);
      }
      expect(policy.strategies).toContain(placement.strategy);
      if (placement.strategy === 'pinned') expect(placement.offset).toBe(policy.pinned.pasid);
      const before = policy.strategies.slice(0, policy.strategies.indexOf(placement.strategy));
      expect(new Set(placement.refused.map(({ strategy }) => strategy).filter((one) => one !== placement.strategy)))
        .toEqual(new Set(before));
    });
  });

  it('a gap is refused only where no 8 aligned bytes inside the policy are free', () => {
    fc.assert(fc.property(anySurvey, anyPolicy, (over, policy) => {
      const result = planLayout({
        survey: over, policy: { ...policy, strategies: ['gap'], forbiddenRanges: [] }, physicalFunction: null,
        wanted: [wholePasid] });
      if (result.ok || result.refusal.kind !== 'no-place' || findCapability(over, 'extended', 0x1b)) return;
      if (result.refusal.refused.some(({ because }) => because.kind === 'list-cannot-begin')) return;
      for (let offset = 0x100; offset <= 0xff8; offset += 4) {
        const range = { offset, length: 8 };
        const allowed = policy.allowedRanges.length === 0
          || policy.allowedRanges.some((one) => ByteRange.contains(one, range));
        const needsAnchor = offset > 0x100 && !over.capabilities.some((one) => one.space === 'extended')
          && over.owners.firstTaken({ offset: 0x100, length: 4 }) !== undefined;
        if (allowed && !needsAnchor) expect(over.owners.firstTaken(range)).toBeDefined();
      }
    }), { numRuns: runs });
  });
});
