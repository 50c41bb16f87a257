import { survey } from '@cadastre/config-space';
import { express, u32 } from '@cadastre/config-space/testing';
import { type LayoutOperation } from './layout-operation.js';
import { planned, pinnedAt, refusalOf, surveyOf, walkOf } from './testing.js';

const reason = 'not for migration';
const standard = [{ id: 1, offset: 0x40, body: [3, 0, 8, 0] }, express({ offset: 0x60 }), { id: 0x11, offset: 0xa0 }];
const over = surveyOf({
  vendorId: 0x1234, deviceId: 0x5678, standard,
  extended: [{ id: 0x01, offset: 0x100, body: u32(0xff) }, { id: 0x10, offset: 0x160, body: u32(7) },
    { id: 0x0f, offset: 0x200 }],
});
const done = (...operations: LayoutOperation[]) => planned(over, { wanted: [], operations });
const hide = (space: 'standard' | 'extended', id: number, offset: number | null = null): LayoutOperation =>
  ({ kind: 'hide-capability', space, id, offset, reason });
const because = (...operations: LayoutOperation[]): unknown => {
  const refusal = refusalOf(over, { wanted: [], operations });
  return refusal.kind === 'operation-impossible' ? refusal.because : refusal;
};

describe('an operation', () => {
  it('hides a capability: out of its list, its bytes zero, nothing else changed', () => {
    const { layout, guestConfigSpace: guest } = done(hide('extended', 0x10));
    expect(walkOf(guest)).toBe('100 200');
    expect([guest.u32(0x160), guest.u32(0x164)]).toEqual([0, 0]);
    expect(layout.patches.every(({ offset }) => offset === 0x100 || (offset >= 0x160 && offset < 0x1a0))).toBe(true);
    expect(layout.operations).toHaveLength(1);
  });

  it('leaves an anchor of ID 0 and version 0 where the first extended capability was', () => {
    const { layout, guestConfigSpace: guest } = done(hide('extended', 0x01));
    expect([guest.u32(0x100), guest.u32(0x104)]).toEqual([0x16000000, 0]);
    expect(layout.extendedList[0]).toEqual({ offset: 0x100, id: 0, version: 0, origin: 'anchor' });
  });

  it('leaves nothing at 0x100 where every extended capability is hidden: reading E3', () => {
    const { layout, guestConfigSpace: guest } = done(hide('extended', 1), hide('extended', 0x10), hide('extended', 15));
    expect([guest.u32(0x100), layout.extendedList]).toEqual([0, []]);
  });

  it('hides a standard capability under the same rule, the first one too', () => {
    const { guestConfigSpace: guest } = done(hide('standard', 0x01));
    expect([guest.u8(0x34), guest.u32(0x40), guest.u8(0x61)]).toEqual([0x60, 0, 0xa0]);
    const { guestConfigSpace: inner } = done(hide('standard', 0x10));
    expect([inner.u8(0x34), inner.u8(0x41), survey(inner).capabilities.map(({ id }) => id)])
      .toEqual([0x40, 0xa0, [1, 0x11, 1, 0x10, 0x0f]]);
  });

  it('that hides PCI Express is told with what is placed: guests may not look above 0xff', () => {
    const { layout } = planned(over, { operations: [hide('standard', 0x10)] });
    expect(layout.placements).toMatchObject([{ cautions: [{ kind: 'no-express-capability' }] }]);
  });

  it('takes back the announcement of a standard list in which everything is hidden', () => {
    const { guestConfigSpace: guest } = done(hide('standard', 1), hide('standard', 0x10), hide('standard', 0x11));
    expect([guest.u8(0x34), guest.u16(0x06) & 0x10]).toEqual([0, 0]);
  });

  it('replaces IDs and registers, and scrubs bytes', () => {
    const { guestConfigSpace: guest } = done(
      { kind: 'replace-identity', field: 'deviceId', value: 0x1111, reason },
      { kind: 'replace-identity', field: 'classCode', value: 0x030201, reason },
      { kind: 'replace-register', offset: 0x204, mask: 0x1f, value: 0xff, reason },
      { kind: 'scrub', offset: 0x104, length: 3, reason });
    expect(guest.u32(0x00)).toBe(0x11111234);
    expect([guest.u32(0x08), guest.u32(0x204), guest.u32(0x104)]).toEqual([0x03020100, 0x1f, 0]);
  });

  it('keeps the bytes it changed from capabilities that are placed', () => {
    const operations: readonly LayoutOperation[] = [
      { kind: 'replace-register', offset: 0x400, mask: 1, value: 1, reason }, hide('extended', 0x10)];
    for (const offset of [0x3fc, 0x400, 0x168]) {
      expect(refusalOf(over, { operations, policy: pinnedAt(offset) }).kind).toBe('no-place');
    }
  });

  it.each<[string, LayoutOperation, object]>([
    ['on a capability that is not there', hide('extended', 0x1b), { kind: 'not-listed', id: 0x1b }],
    ['on a capability at another offset', hide('extended', 0x10, 0x200), { kind: 'not-listed' }],
    ['on an extended header', { kind: 'scrub', offset: 0x1fc, length: 8, reason }, { kind: 'meets-a-link',
      offset: 0x200 }],
    ['on a standard header', { kind: 'replace-register', offset: 0x60, mask: 0xff00, value: 0, reason },
      { kind: 'meets-a-link', offset: 0x60 }],
    ['on the list pointer', { kind: 'scrub', offset: 0x34, length: 1, reason }, { kind: 'meets-a-link', offset: 0x34 }],
    ['on the list bit', { kind: 'replace-register', offset: 4, mask: 0x100000, value: 0, reason },
      { kind: 'meets-a-link', offset: 6 }],
    ['on the header type, which says where the list begins', { kind: 'scrub', offset: 0x0e, length: 1, reason },
      { kind: 'meets-a-link', offset: 0x0e }],
    ['on the header type in a register', { kind: 'replace-register', offset: 0x0c, mask: 0x20000, value: 0x20000,
      reason }, { kind: 'meets-a-link', offset: 0x0e }],
    ['behind the end', { kind: 'scrub', offset: 0xffc, length: 8, reason }, { kind: 'outside-space' }],
    ['on nothing', { kind: 'scrub', offset: 0x400, length: 0, reason }, { kind: 'outside-space' }],
    ['between DWORDs', { kind: 'replace-register', offset: 0x402, mask: 1, value: 0, reason },
      { kind: 'outside-space' }],
    ['with a value that is too wide', { kind: 'replace-identity', field: 'revision', value: 256, reason },
      { kind: 'value-too-wide', value: 256, bits: 8 }],
  ])('is refused %s', (_, operation, expected) => {
    expect(because(operation)).toMatchObject(expected);
  });

  it('may touch the body of a capability beside its header', () => {
    const { guestConfigSpace: guest } = done({ kind: 'replace-register', offset: 0x60, mask: 0xff0000, value: 0,
      reason });
    expect(guest.u32(0x60) & 0xff0000).toBe(0);
  });

  it('may say that there are no functions beside this one', () => {
    const many = surveyOf({ standard, headerType: 0x80 });
    const { guestConfigSpace: guest } = planned(many, { wanted: [], operations: [
      { kind: 'replace-register', offset: 0x0c, mask: 0x00800000, value: 0, reason }] });
    expect(guest.u8(0x0e)).toBe(0);
  });

  it('is refused on the list pointer of a CardBus bridge, which has it elsewhere', () => {
    const cardBus = surveyOf({ size: 256, headerType: 2, standard: [{ id: 1, offset: 0xa0 }] });
    expect(refusalOf(cardBus, { wanted: [], operations: [{ kind: 'scrub', offset: 0x14, length: 1, reason }] }))
      .toMatchObject({ kind: 'operation-impossible', because: { kind: 'meets-a-link', offset: 0x14 } });
  });

  it('is refused on a subsystem ID of a bridge, which has none', () => {
    const bridge = surveyOf({ headerType: 1, classCode: 0x060400 });
    expect(refusalOf(bridge, { wanted: [], operations: [
      { kind: 'replace-identity', field: 'subsystemId', value: 1, reason }] }))
      .toMatchObject({ kind: 'operation-impossible', index: 0, because: { kind: 'no-such-field' } });
  });

  it('unlinks nothing from a list that is broken: it would have to mend it', () => {
    const loop = surveyOf({ extended: [{ id: 1, offset: 0x100 }, { id: 0x18, offset: 0x200, next: 0x100 }] });
    expect(refusalOf(loop, { wanted: [], operations: [hide('extended', 0x18)] }).kind).toBe('extended-list-broken');
    const low = surveyOf({ standard: [{ id: 1, offset: 0x40, next: 0x40 }] });
    expect(refusalOf(low, { wanted: [], operations: [hide('standard', 1)] }).kind).toBe('standard-list-broken');
  });

  it('on one of two of a kind needs an offset', () => {
    const twice = surveyOf({ extended: [{ id: 0x0b, offset: 0x100, body: u32(0x01000001) },
      { id: 0x0b, offset: 0x200, body: u32(0x01000002) }] });
    const request = (offset: number | null) => ({ wanted: [], operations: [hide('extended', 0x0b, offset)] });
    expect(refusalOf(twice, request(null))).toMatchObject({ because: { kind: 'listed-more-than-once' } });
    expect(walkOf(planned(twice, request(0x200)).guestConfigSpace)).toBe('100');
  });
});

describe('a capability the hardware lists, and an operation on its registers', () => {
  const wanted = [{ name: 'ats', registers: { invalidateQueueDepth: 3 } }] as const;
  const policy = { strategies: ['physical'], pinned: {}, allowedRanges: [], forbiddenRanges: [] } as const;
  const register = (offset: number): LayoutOperation =>
    ({ kind: 'replace-register', offset, mask: 0x1f, value: 7, reason });

  it('are two words about one register: refused, with both named', () => {
    for (const operation of [register(0x204), { kind: 'scrub', offset: 0x205, length: 1, reason } as const]) {
      expect(refusalOf(over, { wanted, policy, operations: [operation] })).toMatchObject({ kind: 'no-place',
        name: 'ats', refused: [{ strategy: 'physical', because: {
          kind: 'offset-occupied', by: 'operation 0', from: 0x204, to: 0x207 } }] });
    }
  });

  it('get on where they do not meet', () => {
    const { guestConfigSpace: guest } = planned(over, { wanted, policy, operations: [register(0x208)] });
    expect([guest.u32(0x204), guest.u32(0x208)]).toEqual([3, 7]);
  });

  it('are refused where the operation is on the DWORD at which an empty list begins', () => {
    const empty = surveyOf({});
    expect(refusalOf(empty, { policy: pinnedAt(0x300), operations: [register(0x100)] })).toMatchObject({
      refused: [{ because: { kind: 'list-cannot-begin', because: { by: 'operation 0' } } }] });
  });
});
