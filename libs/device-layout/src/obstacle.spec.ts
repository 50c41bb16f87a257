import { type Survey } from '@cadastre/config-space';
import { buildConfigSpace, express, u32 } from '@cadastre/config-space/testing';
import { CapabilityList } from './capability-list.js';
import { type Ground } from './ground.js';
import { behind, listedTwice, obstacleTo, obstacleToOwn } from './obstacle.js';
import { type Because } from './refusal.js';
import { groundOf, policy, surveyOf } from './testing.js';

const ats = { id: 0x0f, offset: 0x1f0 } as const;
const aer = { id: 0x01, offset: 0x100 } as const;
const at = (offset: number, over: Survey = surveyOf({ extended: [aer, ats] }), change: Partial<Ground> = {}) =>
  obstacleTo({ offset, length: 8 }, groundOf(over, change));
const ones = (count: number): number[] => Array.from({ length: count }, () => 0xff);

describe('8 bytes are kept from', () => {
  it('an offset that is not DWORD aligned', () => {
    expect(at(0x102)).toEqual({ kind: 'offset-unaligned', offset: 0x102, alignment: 4 });
    expect(at(0x1001)).toEqual({ kind: 'offset-unaligned', offset: 0x1001, alignment: 4 });
    expect(at(NaN)).toEqual({ kind: 'offset-unaligned', offset: NaN, alignment: 4 });
  });

  it.each([-8, 0, 0x40, 0xfc, 0xffc, 0x1000, 0x1_0000_0200])('%p, which is not in extended space', (offset) => {
    expect(at(offset)).toEqual({ kind: 'outside-extended-space', offset, length: 8, least: 0x100, most: 0xff8 });
  });

  it.each([0x100, 0x104, 0x120, 0x128])('%p, in a header or body, told with the whole extent', (offset) => {
    expect(at(offset)).toEqual({
      kind: 'offset-occupied', offset, length: 8, by: 'AER', owner: 'capability', from: 0x100, to: 0x12b });
  });

  it('a place whose second half is a header: reading D7, which QEMU accepts', () => {
    const ends = { kind: 'offset-occupied', by: 'ATS', owner: 'capability', from: 0x1f0, to: 0x1f7, length: 8 };
    expect(at(0x1ec)).toEqual({ ...ends, offset: 0x1ec });
    expect(at(0x1f0)).toEqual({ ...ends, offset: 0x1f0 });
    expect(at(0x1f4)).toEqual({ ...ends, offset: 0x1f4 });
    expect([at(0x1e8), at(0x1f8)]).toEqual([undefined, undefined]);
  });

  it('the padding behind a length that is not a multiple of 4', () => {
    const vsec = { id: 0x0b, offset: 0x200, body: u32(0x00a00001) };
    expect(at(0x208, surveyOf({ extended: [aer, vsec] }))).toMatchObject({ by: 'VSEC', from: 0x200, to: 0x20b });
  });

  it('the bytes of a capability whose length nobody knows, up to the next start', () => {
    const over = surveyOf({ extended: [aer, { id: 0x99, offset: 0x200 }, { id: 0x18, offset: 0x400 }] });
    expect(at(0x3f8, over)).toMatchObject({ by: 'unknown-0099', owner: 'hidden-capability', from: 0x200, to: 0x3ff });
  });

  it('bytes that are not zero and in nothing anybody knows', () => {
    const over = surveyOf({ extended: [aer], bytes: { 0x203: [1, 2] } });
    expect(at(0x200, over)).toEqual({
      kind: 'offset-occupied', offset: 0x200, length: 8, by: 'unknown-non-zero', owner: 'unknown-non-zero',
      from: 0x203, to: 0x204 });
    expect([at(0x1f8, over), at(0x208, over)]).toEqual([undefined, undefined]);
  });

  it('a run the device does not decode', () => {
    const over = surveyOf({ extended: [aer], bytes: { 0x400: ones(0xc00) } });
    expect(at(0xff8, over)).toEqual({
      kind: 'offset-occupied', offset: 0xff8, length: 8, by: 'not-decoded', owner: 'not-decoded',
      from: 0x400, to: 0xfff });
  });

  it('the zero bytes in the body of a complete capability that no list reaches: reading F1', () => {
    const over = surveyOf({ extended: [aer, { id: 0x18, offset: 0x300 }], unlinked: [
      { id: 0x04, offset: 0x200, next: 0x300 }] });
    expect(at(0x208, over)).toEqual({
      kind: 'offset-occupied', offset: 0x208, length: 8, by: 'unlinked-capability', owner: 'unlinked-capability',
      from: 0x200, to: 0x20f });
  });

  it('registers that only a quirk knows of', () => {
    const over = surveyOf({ extended: [aer] }, 'none', [{ offset: 0x400, length: 0xc00 }]);
    expect(at(0x800, over)).toMatchObject({ by: 'quirk-range', from: 0x400, to: 0xfff });
  });

  it('a second sight of the low space', () => {
    const low = { vendorId: 0x1234, standard: [express()], extended: [aer] };
    const header = Array.from(buildConfigSpace(low).toBytes().subarray(0, 0x40));
    expect(at(0x8f8, surveyOf({ ...low, bytes: { 0x800: header } }))).toMatchObject({
      by: 'alias', owner: 'alias', from: 0x800, to: 0xfff });
  });

  it('what lies outside the allowed ranges, or only partly inside one', () => {
    const allowed = [{ offset: 0x200, length: 0x10 }, { offset: 0x400, length: 8 }];
    const ask = (offset: number) => at(offset, undefined, { policy: policy({ allowedRanges: allowed }) });
    for (const offset of [0x1fc, 0x20c, 0x3fc, 0x404, 0xff8]) {
      expect(ask(offset)).toEqual({ kind: 'outside-allowed-ranges', offset, length: 8, allowed });
    }
    expect([0x200, 0x208, 0x400].map(ask)).toEqual([undefined, undefined, undefined]);
  });

  it('what meets a forbidden range, with the words of who forbade it', () => {
    const forbiddenRanges = [{ offset: 0x400, length: 4, reason: 'scratch registers' }];
    const ask = (offset: number) => at(offset, undefined, { policy: policy({ forbiddenRanges }) });
    for (const offset of [0x3fc, 0x400]) {
      expect(ask(offset)).toEqual({
        kind: 'forbidden', offset, length: 8, range: { offset: 0x400, length: 4 }, reason: 'scratch registers' });
    }
    expect([ask(0x3f8), ask(0x404)]).toEqual([undefined, undefined]);
  });

  it('what was placed before in the same layout; the anchor that came with it makes way at 0x100', () => {
    const over = surveyOf({});
    const taken = [{ offset: 0x200, length: 8, by: 'PASID' }];
    const list = CapabilityList.of(over, 'extended');
    list.link({ offset: 0x200, id: 0x1b, version: 1, origin: 'synthetic' });
    const ask = (offset: number) => at(offset, over, { taken, list });
    expect(ask(0x1fc)).toEqual({
      kind: 'offset-occupied', offset: 0x1fc, length: 8, by: 'PASID', owner: 'synthetic', from: 0x200, to: 0x207 });
    expect([ask(0x100), ask(0x104), ask(0x1f8), ask(0x208)]).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('an empty list cannot begin', () => {
  it('when a quirk holds 0x100', () => {
    expect(at(0x200, surveyOf({}, 'none', [{ offset: 0x100, length: 4 }]))).toEqual({
      kind: 'list-cannot-begin', offset: 0x200, because: {
        kind: 'offset-occupied', offset: 0x100, length: 4, by: 'quirk-range', owner: 'quirk-range',
        from: 0x100, to: 0x103 } });
  });

  it('when 0x100 is forbidden, though not when it is merely outside the allowed ranges', () => {
    const forbiddenRanges = [{ offset: 0x100, length: 0x10, reason: 'kept for firmware' }];
    expect(at(0x200, surveyOf({}), { policy: policy({ forbiddenRanges }) })).toEqual({
      kind: 'list-cannot-begin', offset: 0x200, because: {
        kind: 'forbidden', offset: 0x100, length: 4, range: { offset: 0x100, length: 0x10 },
        reason: 'kept for firmware' } });
    const allowedRanges = [{ offset: 0x200, length: 8 }];
    expect(at(0x200, surveyOf({}), { policy: policy({ allowedRanges }) })).toBeUndefined();
  });
});

describe('the hardware\'s own capability', () => {
  const own = (over: Survey, change: Partial<Ground> = {}): Because | undefined => {
    const first = over.capabilities.find((one) => one.id === 0x1b);
    if (!first) throw new Error('no PASID');
    return obstacleToOwn(first, 8, groundOf(over, change));
  };
  const pasid = { id: 0x1b, offset: 0x200 } as const;

  it('is not kept from the guest by its own bytes, nor by neighbours', () => {
    expect(own(surveyOf({ extended: [aer, { ...ats, offset: 0x1f8 }, pasid, { ...ats, offset: 0x208 }] })))
      .toBeUndefined();
  });

  it('is, when another header stands in its body: its patch would destroy that header', () => {
    expect(own(surveyOf({ extended: [aer, pasid, { ...ats, offset: 0x204 }] }))).toEqual({
      kind: 'offset-occupied', offset: 0x200, length: 8, by: 'ATS', owner: 'capability', from: 0x204, to: 0x20b });
  });

  it('is, when it stands in the body of another', () => {
    expect(own(surveyOf({ extended: [{ id: 0x0b, offset: 0x100, body: u32(0x20000001) }, pasid] }))).toEqual({
      kind: 'offset-occupied', offset: 0x200, length: 8, by: 'VSEC', owner: 'capability', from: 0x100, to: 0x2ff });
  });

  it('is, when the end of the space cuts it', () => {
    expect(own(surveyOf({ extended: [aer, { ...pasid, offset: 0xffc }] }))).toEqual({
      kind: 'outside-extended-space', offset: 0xffc, length: 8, least: 0x100, most: 0xff8 });
  });

  it('is, when the hardware lists two: nothing tells which one it means', () => {
    const over = surveyOf({ extended: [aer, { ...pasid, offset: 0x300 }, pasid] });
    const [, , first] = over.capabilities;
    expect(own(over)).toEqual({ kind: 'listed-twice', id: 0x1b, offset: 0x300, again: 0x200 });
    expect(first && listedTwice(first, over)).toEqual(own(over));
  });

  it('is, when the operator says so', () => {
    const over = surveyOf({ extended: [aer, pasid] });
    expect(own(over, { policy: policy({ allowedRanges: [{ offset: 0x300, length: 8 }] }) }))
      .toMatchObject({ kind: 'outside-allowed-ranges', offset: 0x200 });
    expect(own(over, { policy: policy({ forbiddenRanges: [{ ...pasid, length: 4, reason: 'x' }] }) }))
      .toMatchObject({ kind: 'forbidden', offset: 0x200 });
  });
});

describe('a search behind an obstacle', () => {
  const obstacles: readonly Because[] = [
    { kind: 'offset-occupied', offset: 0x200, length: 8, by: 'AER', owner: 'capability', from: 0x204, to: 0x22e },
    { kind: 'forbidden', offset: 0x200, length: 8, range: { offset: 0x204, length: 0x2a }, reason: 'x' },
  ];
  it.each(obstacles)('goes on at the DWORD behind its last byte: %p', (because) => {
    expect(behind(because, 0x200)).toBe(0x230);
  });

  it('always goes on', () => {
    expect(behind({ kind: 'outside-allowed-ranges', offset: 0x200, length: 8, allowed: [] }, 0x200)).toBe(0x204);
    expect(behind({ kind: 'forbidden', offset: 0x200, length: 8, range: { offset: 0, length: 1 }, reason: '' }, 0x200))
      .toBe(0x204);
  });

  it('ends when the list cannot begin', () => {
    const because: Because = { kind: 'no-gap', needed: 8 };
    expect(behind({ kind: 'list-cannot-begin', offset: 0x104, because }, 0x104)).toBe(0x1000);
  });
});
