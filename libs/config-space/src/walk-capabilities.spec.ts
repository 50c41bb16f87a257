import { type ConfigSpace } from './config-space.js';
import { type Finding } from './finding.js';
import { readHeader } from './header.js';
import { buildConfigSpace, type ConfigSpaceParts } from './testing/build-config-space.js';
import {
  extendedCapabilitiesMax, standardCapabilitiesMax, walkExtendedCapabilities, walkStandardCapabilities,
} from './walk-capabilities.js';

function standardOf(parts: ConfigSpaceParts): { offsets: number[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const space: ConfigSpace = buildConfigSpace(parts);
  const found = walkStandardCapabilities(space, readHeader(space), findings);
  return { offsets: found.map(({ offset }) => offset), findings };
}

function extendedOf(parts: ConfigSpaceParts): { offsets: number[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const found = walkExtendedCapabilities(buildConfigSpace(parts), findings);
  return { offsets: found.map(({ offset }) => offset), findings };
}

describe('the standard list', () => {
  it('is followed from the header to the pointer 0, in list order', () => {
    const space = buildConfigSpace({ standard: [{ id: 1, offset: 0x40 }, { id: 5, offset: 0x50 }, { id: 9,
      offset: 0x60 }] });
    const findings: Finding[] = [];
    expect(walkStandardCapabilities(space, readHeader(space), findings)).toEqual([
      { space: 'standard', id: 1, version: 0, offset: 0x40, next: 0x50 },
      { space: 'standard', id: 5, version: 0, offset: 0x50, next: 0x60 },
      { space: 'standard', id: 9, version: 0, offset: 0x60, next: 0 },
    ]);
    expect(findings).toEqual([]);
  });

  it('is followed from 0x14 in a CardBus bridge', () => {
    expect(standardOf({ headerType: 2, standard: [{ id: 1, offset: 0xa0 }] }))
      .toEqual({ offsets: [0xa0], findings: [] });
  });

  it('is invalid without Status bit 4, and a pointer that was there is reported', () => {
    expect(standardOf({ status: 0, standard: [{ id: 1, offset: 0x40 }] }))
      .toEqual({ offsets: [], findings: [{ kind: 'list-not-announced', pointer: 0x40 }] });
    expect(standardOf({ status: 0 })).toEqual({ offsets: [], findings: [] });
  });

  it('masks the two reserved bits of a pointer and reports them', () => {
    expect(standardOf({ standard: [{ id: 1, offset: 0x40, next: 0x53 }], bytes: { 0x50: [5, 0] } })).toEqual({
      offsets: [0x40, 0x50],
      findings: [{ kind: 'pointer-reserved-bits', space: 'standard', at: 0x40, pointer: 0x53 }],
    });
  });

  it('ends, reported, at a pointer into the header', () => {
    expect(standardOf({ standard: [{ id: 1, offset: 0x40, next: 0x3c }] })).toEqual({
      offsets: [0x40],
      findings: [{ kind: 'pointer-below-space', space: 'standard', at: 0x40, pointer: 0x3c, least: 0x40 }],
    });
  });

  it('ends, reported, at a pointer of reserved bits only', () => {
    expect(standardOf({ standard: [{ id: 1, offset: 0x40, next: 0x02 }] })).toEqual({
      offsets: [0x40],
      findings: [{ kind: 'pointer-reserved-bits', space: 'standard', at: 0x40, pointer: 0x02 }],
    });
  });

  it('ends, reported, where it loops: onto itself, onto the head, onto the middle', () => {
    expect(standardOf({ standard: [{ id: 1, offset: 0x40, next: 0x40 }] })).toEqual({
      offsets: [0x40],
      findings: [{ kind: 'capability-list-loops', space: 'standard', at: 0x40, pointer: 0x40 }],
    });
    expect(standardOf({ standard: [{ id: 1, offset: 0x40 }, { id: 5, offset: 0x50, next: 0x42 }] })).toEqual({
      offsets: [0x40, 0x50],
      findings: [
        { kind: 'pointer-reserved-bits', space: 'standard', at: 0x50, pointer: 0x42 },
        { kind: 'capability-list-loops', space: 'standard', at: 0x50, pointer: 0x42 },
      ],
    });
  });

  it('ends, reported, at ID 0xff', () => {
    expect(standardOf({ standard: [{ id: 1, offset: 0x40 }, { id: 0xff, offset: 0x50 }] })).toEqual({
      offsets: [0x40], findings: [{ kind: 'header-all-ones', space: 'standard', offset: 0x50 }],
    });
  });

  it('counts the null capability, which is a legal placeholder', () => {
    expect(standardOf({ standard: [{ id: 0, offset: 0x40 }, { id: 1, offset: 0x50 }] }).offsets).toEqual([0x40, 0x50]);
  });

  it('may go backwards, which is reported and followed', () => {
    expect(standardOf({ standard: [{ id: 1, offset: 0x80 }, { id: 5, offset: 0x40 }] })).toEqual({
      offsets: [0x80, 0x40],
      findings: [{ kind: 'list-goes-backwards', space: 'standard', at: 0x80, pointer: 0x40 }],
    });
  });

  it('has at most 48 entries, the DWORDs behind the header', () => {
    const standard = Array.from({ length: 48 }, (_, index) => ({ id: 0x09, offset: 0x40 + index * 4 }));
    expect(standardOf({ standard }).offsets).toHaveLength(standardCapabilitiesMax);
  });

  it('ends, reported, at a header that was not captured', () => {
    expect(standardOf({ standard: [{ id: 1, offset: 0x40 }, { id: 5, offset: 0x50 }], capturedBytes: 0x50 })).toEqual({
      offsets: [0x40], findings: [{ kind: 'header-not-captured', space: 'standard', offset: 0x50 }],
    });
  });
});

describe('the extended list', () => {
  it('begins at 0x100 and tells ID, version and next', () => {
    const space = buildConfigSpace({ extended: [{ id: 1, version: 2, offset: 0x100 }, { id: 0x1b, offset: 0x150 }] });
    expect(walkExtendedCapabilities(space, [])).toEqual([
      { space: 'extended', id: 1, version: 2, offset: 0x100, next: 0x150 },
      { space: 'extended', id: 0x1b, version: 1, offset: 0x150, next: 0 },
    ]);
  });

  it('is empty where the DWORD at 0x100 is zero, or the function has 256 bytes', () => {
    expect(extendedOf({})).toEqual({ offsets: [], findings: [] });
    expect(extendedOf({ size: 256 })).toEqual({ offsets: [], findings: [] });
  });

  it('is unreadable where the DWORD at 0x100 is all-ones', () => {
    expect(extendedOf({ bytes: { 0x100: [255, 255, 255, 255] } }))
      .toEqual({ offsets: [], findings: [{ kind: 'extended-space-all-ones' }] });
  });

  it('takes version 0 for what it is: no sign of a broken header', () => {
    expect(extendedOf({ extended: [{ id: 0x15, version: 0, offset: 0x100 }] }))
      .toEqual({ offsets: [0x100], findings: [] });
  });

  it.each([0x004, 0x040, 0x0fc])('ends, reported, at next %i, which is below 0x100', (next) => {
    expect(extendedOf({ extended: [{ id: 1, offset: 0x100, next }] })).toEqual({
      offsets: [0x100],
      findings: [{ kind: 'pointer-below-space', space: 'extended', at: 0x100, pointer: next, least: 0x100 }],
    });
  });

  it('masks the reserved bits of a pointer and reports them', () => {
    expect(extendedOf({ extended: [{ id: 1, offset: 0x100, next: 0x162 }], bytes: { 0x160: [3, 0, 1, 0] } })).toEqual({
      offsets: [0x100, 0x160],
      findings: [{ kind: 'pointer-reserved-bits', space: 'extended', at: 0x100, pointer: 0x162 }],
    });
  });

  it('ends, reported, at a header of zero that a pointer leads to', () => {
    expect(extendedOf({ extended: [{ id: 1, offset: 0x100, next: 0xe00 }] })).toEqual({
      offsets: [0x100], findings: [{ kind: 'header-zero', space: 'extended', offset: 0xe00 }],
    });
  });

  it('ends, reported, at a header of all-ones', () => {
    expect(extendedOf({ extended: [{ id: 1, offset: 0x100, next: 0xe00 }], bytes: { 0xe00: [255, 255, 255, 255] } }))
      .toEqual({ offsets: [0x100], findings: [{ kind: 'header-all-ones', space: 'extended', offset: 0xe00 }] });
  });

  it('goes on past a null capability with a pointer', () => {
    expect(extendedOf({ extended: [{ id: 0, version: 0, offset: 0x100 }, { id: 3, offset: 0x200 }] }).offsets)
      .toEqual([0x100, 0x200]);
  });

  it('ends, reported, where it loops', () => {
    expect(extendedOf({ extended: [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x150, next: 0x100 }] })).toEqual({
      offsets: [0x100, 0x150],
      findings: [{ kind: 'capability-list-loops', space: 'extended', at: 0x150, pointer: 0x100 }],
    });
  });

  it('may go backwards, which is reported and followed', () => {
    const extended = [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x400 }, { id: 0x0b, offset: 0x200 }];
    expect(extendedOf({ extended })).toEqual({
      offsets: [0x100, 0x400, 0x200],
      findings: [{ kind: 'list-goes-backwards', space: 'extended', at: 0x400, pointer: 0x200 }],
    });
  });

  it('has at most 960 entries, the DWORDs of the extended space', () => {
    const extended = Array.from({ length: 960 }, (_, index) => ({ id: 3, offset: 0x100 + index * 4 }));
    expect(extendedOf({ extended }).offsets).toHaveLength(extendedCapabilitiesMax);
  });

  it('ends, reported, at a header that was not captured', () => {
    expect(extendedOf({ extended: [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x140 }], capturedBytes: 0x142 }))
      .toEqual({
      offsets: [0x100], findings: [{ kind: 'header-not-captured', space: 'extended', offset: 0x140 }],
    });
  });
});
