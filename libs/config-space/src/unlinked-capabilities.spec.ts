import { survey } from './survey.js';
import { buildConfigSpace, type ExtendedEntry, u16, u32 } from './testing/build-config-space.js';

const linked: readonly ExtendedEntry[] = [{ id: 0x01, offset: 0x100 }, { id: 0x03, offset: 0x200 }];
const unlinkedIn = (unlinked: readonly ExtendedEntry[], extended = linked) =>
  survey(buildConfigSpace({ extended, unlinked })).unlinked
    .map(({ id, offset, length, strong }) => ({ id, offset, length, strong }));

describe('a well-formed header that no list reaches', () => {
  it('is strong when it leads to a linked capability, and forbids its whole body', () => {
    const { unlinked, owners, findings } = survey(buildConfigSpace({
      extended: linked, unlinked: [{ id: 0x16, version: 1, offset: 0x180, next: 0x200, body: u32(3) }],
    }));
    expect(unlinked).toMatchObject([{ id: 0x16, version: 1, offset: 0x180, length: 20, strong: true }]);
    expect(owners.ownerAt(0x193).owner).toBe('unlinked-capability');
    expect(owners.ownerAt(0x194).owner).toBe('zero');
    expect(findings).toContainEqual({ kind: 'unlinked-capability', id: 0x16, offset: 0x180, length: 20, strong: true });
  });

  it('is strong when it leads to another strong one', () => {
    expect(unlinkedIn([{ id: 0x04, offset: 0x140, next: 0x160 }, { id: 0x0d, offset: 0x160, next: 0x200 }])).toEqual([
      { id: 0x04, offset: 0x140, length: 16, strong: true }, { id: 0x0d, offset: 0x160, length: 8, strong: true },
    ]);
  });

  it('is weak when it, or what it leads to, ends the list: a caution, not a ban', () => {
    const { unlinked, owners } = survey(buildConfigSpace({
      extended: linked, unlinked: [{ id: 0x18, offset: 0x140, next: 0x160 }, { id: 0x0d, offset: 0x160 }],
    }));
    expect(unlinked.map(({ strong }) => strong)).toEqual([false, false]);
    expect([owners.ownerAt(0x140).owner, owners.ownerAt(0x144).owner]).toEqual(['unknown-non-zero', 'zero']);
  });

  it.each<[string, ExtendedEntry]>([
    ['an ID without a row', { id: 0x3b, offset: 0x180, next: 0x200 }],
    ['ID 0', { id: 0x00, offset: 0x180, next: 0x200 }],
    ['version 0', { id: 0x04, version: 0, offset: 0x180, next: 0x200 }],
    ['a misaligned next', { id: 0x04, offset: 0x180, next: 0x202 }],
    ['a next that leads to no header', { id: 0x04, offset: 0x180, next: 0x300 }],
    ['a next into the standard space', { id: 0x04, offset: 0x180, next: 0x40 }],
    ['a next onto itself', { id: 0x04, offset: 0x180, next: 0x180 }],
  ])('is none with %s', (_, entry) => {
    expect(unlinkedIn([entry])).toEqual([]);
  });

  it('is none in a ring of such headers, which proves nothing', () => {
    expect(unlinkedIn([{ id: 0x04, offset: 0x140, next: 0x160 }, { id: 0x04, offset: 0x160, next: 0x140 }]))
      .toEqual([]);
  });

  it('is none inside the body of a linked capability', () => {
    const vsec = { id: 0x0b, offset: 0x100, body: u32(0x10010001) };
    expect(unlinkedIn([{ id: 0x04, offset: 0x140, next: 0x200 }], [vsec, { id: 0x03, offset: 0x200 }])).toEqual([]);
  });

  it('is none in a standard list: two bytes prove nothing', () => {
    expect(survey(buildConfigSpace({ size: 256, standard: [{ id: 1, offset: 0x40 }], bytes: { 0x80: [9, 0x40,
      8] } })).unlinked)
      .toEqual([]);
  });

  it('without a known length reaches up to the next start', () => {
    expect(unlinkedIn([{ id: 0x1a, offset: 0x180, next: 0x200 }]))
      .toEqual([{ id: 0x1a, offset: 0x180, length: 0x80, strong: true }]);
  });

  it('that passes the end of the space is cut there', () => {
    expect(unlinkedIn([{ id: 0x0b, offset: 0xff0, next: 0x200, body: [...u16(0x4321), ...u16(0x1001)] }]))
      .toEqual([{ id: 0x0b, offset: 0xff0, length: 0x10, strong: true }]);
  });
});
