import { express, u32 } from '@cadastre/config-space/testing';
import { canonicalJson } from './canonical-json.js';
import { Digest } from './digest.js';
import { readLayoutDocument, writeLayoutDocument } from './layout-document.js';
import { layoutDocument } from './make-layout-document.js';
import { planned, policy, surveyOf, wholePasid } from './testing.js';

type Json = Record<string, unknown>;

const over = surveyOf({
  vendorId: 0x1234, deviceId: 0x5678,
  standard: [{ id: 1, offset: 0x40, body: [3, 0, 8, 0] }, express({ offset: 0x60 })],
  extended: [{ id: 0x01, offset: 0x100 }, { id: 0x0f, offset: 0x180 },
    { id: 0x0b, offset: 0x200, body: u32(0x02000001) }],
});
const { layout, guestConfigSpace } = planned(over, { wanted: [wholePasid, { name: 'pri', registers: {} }],
  policy: policy({ strategies: ['pinned', 'gap'], pinned: { pasid: 0x300, pri: 0x340 } }) });
const text = writeLayoutDocument(layoutDocument(over, layout, guestConfigSpace));
const [pm, , aer, , vsec, pasid, pri] = [0, 1, 2, 3, 4, 5, 6];

/** The document with one part changed and a digest that fits: only what it says can be wrong with it. */
function signed(edit: (json: Json) => void): Json {
  const json = JSON.parse(text) as Json;
  edit(json);
  delete json['digest'];
  return { ...json, digest: Digest.of(canonicalJson(json)) };
}
const items = (json: Json, name: string): Json[] => json[name] as Json[];
const capability = (index: number | undefined, change: Json) => (json: Json): void =>
  void Object.assign(items(json, 'capabilities')[index ?? -1] ?? {}, change);
/** The range that has this byte, changed as a whole. */
const range = (at: number, change: Json) => (json: Json): void =>
  void Object.assign(items(json, 'ranges')[rangeAt(at)] ?? {}, change);
const rangeAt = (at: number): number => items(JSON.parse(text) as Json, 'ranges').findIndex(({ offset, length }) =>
  Number(offset) <= at && Number(offset) + Number(length) > at);
/** Another range from `at` on, so that a part of one can be changed. */
const split = (at: number, change: Json) => (json: Json): void => {
  const ranges = items(json, 'ranges');
  const index = rangeAt(at);
  const old = ranges[index] ?? {};
  const before = at - Number(old['offset']);
  const hex = (value: number): string => `0x${value.toString(16).padStart(3, '0')}`;
  ranges.splice(index, 1, ...(before > 0 ? [{ ...old, length: before }] : []),
    { ...old, offset: hex(at), length: Number(old['length']) - before, ...change });
};
const emulated = (...writable: readonly Json[]): Json => ({ backing: { kind: 'emulated', writable } });

describe('a document whose digest fits', () => {
  it('is taken as it was written', () => {
    expect(readLayoutDocument(signed(() => undefined))).toMatchObject({ ok: true });
    expect(items(JSON.parse(text) as Json, 'capabilities').map(({ name }) => name))
      .toEqual(['PM', 'EXP', 'AER', 'ATS', 'VSEC', 'PASID', 'PRI']);
  });

  it.each<[string, (json: Json) => void, string, string]>([
    ['PASID whose control a guest writes to the hardware (R16)', range(0x306, { write: 'hardware' }),
      `/ranges/${rangeAt(0x306)}/write`,
      'is hardware, must be emulated or dropped in PASID at 0x300..0x307: the IOMMU driver sets it'],
    ['PRI likewise', range(0x344, { write: 'hardware' }), `/ranges/${rangeAt(0x344)}/write`, 'PRI at 0x340..0x34f'],
    ['ATS of the hardware likewise', range(0x186, { write: 'hardware' }), `/ranges/${rangeAt(0x186)}/write`,
      'ATS at 0x180..0x187'],
    ['a header a guest writes', range(0x100, { write: 'hardware' }), `/ranges/${rangeAt(0x100)}/write`,
      'must be dropped: the header of AER'],
    ['a control that is not there for the guest', range(0x306, { write: 'dropped' }), `/ranges/${rangeAt(0x306)}/write`,
      'a guest may write byte 0x306 of PASID'],
    ['a byte the guest writes and has to find unchanged', range(0x306, { compare: 'identical' }),
      `/ranges/${rangeAt(0x306)}/write`, 'compare identical: a guest may write byte 0x306'],
    ['a read-only register that takes writes', split(0x305, { write: 'emulated' }),
      `/ranges/${rangeAt(0x305) + 1}/write`, 'no bit of byte 0x305 of PASID at 0x300..0x307 is writable'],
    ['bytes of what was built that come from the hardware', range(0x304, { provenance: {
      by: 'hardware', rule: 'x', note: null } }), `/ranges/${rangeAt(0x304)}/provenance/by`,
    'is hardware, PASID at 0x300..0x307 is synthetic'],
    ['writable bits outside their capability', capability(pasid, emulated({ offset: '0x308', mask: '0x00070000' })),
      '/capabilities/5/backing/writable/0/offset', 'is 0x308, must be a multiple of 4, in order, in 0x304..0x304'],
    ['writable bits in a header', capability(pasid, emulated({ offset: '0x300', mask: '0x00070000' })),
      '/capabilities/5/backing/writable/0/offset', 'is 0x300'],
    ['writable bits in one DWORD twice', capability(pri, emulated({ offset: '0x344', mask: '0x00000003' },
      { offset: '0x344', mask: '0x00000003' })), '/capabilities/6/backing/writable/1/offset', 'in order'],
    ['writable bits across a DWORD', capability(pri, emulated({ offset: '0x346', mask: '0x00000003' })),
      '/capabilities/6/backing/writable/0/offset', 'is 0x346, must be a multiple of 4'],
    ['writable bits that are no controls', capability(pasid, emulated({ offset: '0x304', mask: '0x00001f00' })),
      '/capabilities/5/backing/writable/0/mask', 'is 0x1f00, controls of PASID there are 0x70000'],
    ['a DWORD without writable bits', capability(pasid, emulated({ offset: '0x304', mask: '0x00000000' })),
      '/capabilities/5/backing/writable/0/mask', 'is 0x0'],
    ['something put over a capability', capability(vsec, { length: 0x104 }), '/capabilities/4/offset',
      'VSEC at 0x200..0x303 overlaps PASID at 0x300..0x307'],
    ['an AER that was made up', capability(aer, { origin: 'synthetic', ...emulated() }), '/capabilities/2/origin',
      'is synthetic, and nothing builds AER of ID 0x1'],
    ['an AER of a persona, under a name that is built',
      capability(aer, { origin: 'persona', name: 'PASID', ...emulated() }), '/capabilities/2/origin',
      'nothing builds PASID of ID 0x1'],
    ['what was built, of another length', capability(pri, { length: 12 }), '/capabilities/6/length',
      'is 12, PRI is built with 16'],
    ['what was built, with hardware behind it',
      capability(pasid, { backing: { kind: 'physical', offset: '0x300' } }), '/capabilities/5/backing/kind',
      'is physical, of origin synthetic it must be emulated'],
    ['an anchor that is none', capability(aer, { origin: 'anchor', ...emulated() }), '/capabilities/2/origin',
      'is anchor, which is the 4 bytes at 0x100'],
    ['a name of another ID', capability(aer, { name: 'DSN' }), '/capabilities/2/name', 'is DSN, ID 0x1 is AER'],
    ['hardware beyond the end of the space', capability(aer, { backing: { kind: 'physical', offset: '0xff8' } }),
      '/capabilities/2/backing/offset', 'is 0xff8, must be a multiple of 4 with its 44 bytes in 0x100..0xfff'],
    ['hardware at an odd offset', capability(aer, { backing: { kind: 'physical', offset: '0x102' } }),
      '/capabilities/2/backing/offset', 'is 0x102'],
    ['hardware of the other list', capability(pm, { backing: { kind: 'physical', offset: '0x100' } }),
      '/capabilities/0/backing/offset', 'is 0x100, must be a multiple of 4 with its 8 bytes in 0x40..0xff'],
    ['a capability that passes the end', capability(vsec, { length: 0xe04 }), '/capabilities/4/offset', '0xfff'],
    ['a list the bytes do not have', (json) => { (json['extendedList'] as string[])[1] = '0x200'; }, '/extendedList/1',
      'is 0x200, a walk of the bytes from 0x100 meets 0x180'],
    ['an ID the bytes do not have', capability(aer, { id: '0x0003' }), '/capabilities/2',
      'is ID 0x3, version 1, at 0x100; a walk of the bytes meets ID 0x1, version 1, at 0x100 there'],
    ['a version the bytes do not have', capability(aer, { version: 2 }), '/capabilities/2', 'is ID 0x1, version 2'],
    ['a capability of the list left out', (json) => { items(json, 'capabilities').splice(6, 1); }, '/capabilities',
      'has 4 extended ones, a walk meets 5'],
    ['ranges with a hole', (json) => { items(json, 'ranges').splice(3, 1); }, '/ranges/3/offset',
      'must be the end before'],
    ['an identity the bytes do not have', (json) => { (json['identity'] as Json)['deviceId'] = '0x5679'; },
      '/identity/deviceId', 'is 0x5679, the bytes say 0x5678'],
  ])('is refused with %s', (_, edit, pointer, problem) => {
    const read = readLayoutDocument(signed(edit));
    expect(read).toMatchObject({ ok: false, refusal: { kind: 'layout-malformed', pointer,
      problem: expect.stringContaining(problem) as string } });
  });

  it('is taken with names of IDs that another catalogue may know', () => {
    expect(readLayoutDocument(signed(capability(aer, { name: 'unknown-0001' })))).toMatchObject({ ok: true });
  });
});
