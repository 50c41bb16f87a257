import { type OwnerMap } from './owner-map.js';
import { survey } from './survey.js';
import { buildConfigSpace, type ConfigSpaceParts, express } from './testing/build-config-space.js';

const ownersOf = (parts: ConfigSpaceParts): OwnerMap => survey(buildConfigSpace(parts)).owners;
/** `owner@offset+length`, capabilities by their name. */
const runsOf = (owners: OwnerMap): readonly string[] => owners.runs().map(({ owner, capability, offset, length }) =>
  `${capability?.row.name ?? owner}@${offset.toString(16)}+${length.toString(16)}`);

describe('the owner map', () => {
  it('gives every byte exactly one owner: runs follow each other without a hole', () => {
    const owners = ownersOf({
      standard: [{ id: 1, offset: 0x40 }, express({ offset: 0x60 })], extended: [{ id: 0x1b, offset: 0x100 }],
      bytes: { 0xf00: [1, 2, 3] },
    });
    expect(runsOf(owners)).toEqual([
      'header@0+40', 'PM@40+8', 'zero@48+18', 'EXP@60+3c', 'zero@9c+64', 'PASID@100+8', 'zero@108+df8',
      'unknown-non-zero@f00+3', 'zero@f03+fd',
    ]);
  });

  it('tells the capabilities vfio-pci hides from those it shows', () => {
    const { owners } = survey(buildConfigSpace({
      extended: [{ id: 0x01, offset: 0x100 }, { id: 0x1b, offset: 0x200 }],
    }));
    expect(owners.ownerAt(0x100)).toMatchObject({ owner: 'capability', capability: { id: 0x01 } });
    expect(owners.ownerAt(0x207)).toMatchObject({ owner: 'hidden-capability', capability: { id: 0x1b } });
  });

  it('counts a capability in whole DWORDs', () => {
    expect(runsOf(ownersOf({ size: 256, standard: [{ id: 5, offset: 0x40 }] })))
      .toEqual(['header@0+40', 'MSI@40+c', 'zero@4c+b4']);
  });

  it('gives overlapped bytes to the capability that starts later, whatever the list order', () => {
    for (const standard of [
      [{ id: 9, offset: 0x40, body: [0x20] }, { id: 1, offset: 0x50 }],
      [{ id: 1, offset: 0x50 }, { id: 9, offset: 0x40, body: [0x20] }],
    ]) {
      expect(runsOf(ownersOf({ size: 256, standard })))
        .toEqual(['header@0+40', 'VNDR@40+10', 'PM@50+8', 'VNDR@58+8', 'zero@60+a0']);
    }
  });

  it('tells the first byte of a range that is not free', () => {
    const owners = ownersOf({ extended: [{ id: 0x1b, offset: 0x100 }], bytes: { 0x203: [1] } });
    expect(owners.firstTaken({ offset: 0x108, length: 0x10 })).toBeUndefined();
    expect(owners.firstTaken({ offset: 0x104, length: 8 })).toBe(0x104);
    expect(owners.firstTaken({ offset: 0x1fc, length: 8 })).toBe(0x203);
    expect(owners.firstTaken({ offset: 0xffc, length: 8 })).toBe(0x1000);
  });

  it('throws for a byte outside the space, which is a bug of the caller', () => {
    const owners = ownersOf({ size: 256 });
    expect(owners.ownerAt(0xff)).toEqual({ owner: 'zero', capability: undefined });
    expect(() => owners.ownerAt(0x100)).toThrow('no byte at offset 256 in 256 bytes');
    expect(() => owners.ownerAt(-1)).toThrow(RangeError);
  });

  it('calls 16 or more bytes of all-ones not decoded, fewer unknown', () => {
    const ones = (count: number): number[] => Array.from({ length: count }, () => 0xff);
    expect(runsOf(ownersOf({ size: 256, bytes: { 0x40: ones(12), 0x80: ones(16), 0xc0: ones(19) } }))).toEqual([
      'header@0+40', 'unknown-non-zero@40+c', 'zero@4c+34', 'not-decoded@80+10', 'zero@90+30', 'not-decoded@c0+10',
      'unknown-non-zero@d0+3', 'zero@d3+2d',
    ]);
  });

  it('calls bytes behind the capture not captured, up to the last byte', () => {
    expect(runsOf(ownersOf({ bytes: { 0x200: [1, 2, 3] }, capturedBytes: 0x202 }))).toEqual([
      'header@0+40', 'zero@40+1c0', 'unknown-non-zero@200+2', 'not-captured@202+dfe',
    ]);
  });

  it('keeps quirk ranges from being free, but not from a capability', () => {
    const space = buildConfigSpace({ size: 256, standard: [{ id: 1, offset: 0x40 }], bytes: { 0x60: [1] } });
    const { owners } = survey(space, 'none', [{ offset: 0x44, length: 0x3c }]);
    expect(runsOf(owners)).toEqual(['header@0+40', 'PM@40+8', 'quirk-range@48+38', 'zero@80+80']);
  });
});

it('gives the free bytes of an alias of the low space to the alias', () => {
  const header = Array.from(buildConfigSpace().toBytes().subarray(0, 0x40));
  expect(runsOf(ownersOf({ bytes: { 0x800: header, 0x900: [1] } })))
    .toEqual(['header@0+40', 'zero@40+7c0', 'alias@800+800']);
});
