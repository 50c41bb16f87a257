import { capabilityCatalogue } from './catalogue/capability-catalogue.js';
import { ConfigSpace } from './config-space.js';
import { findCapability, survey } from './survey.js';
import { buildConfigSpace, type ConfigSpaceParts, express, u32 } from './testing/build-config-space.js';

const findingsOf = (parts: ConfigSpaceParts) => survey(buildConfigSpace(parts)).findings;

describe('a survey', () => {
  it('lists capabilities in list order, standard before extended, with their extent', () => {
    const { capabilities, findings } = survey(buildConfigSpace({
      standard: [{ id: 0x01, offset: 0xc0 }, express({ offset: 0x40 })],
      extended: [{ id: 0x01, version: 2, offset: 0x100 }, { id: 0x1b, offset: 0x300 }],
    }));
    expect(capabilities.map(({ row, offset, length, opaque }) => [row.name, offset, length, opaque])).toEqual([
      ['PM', 0xc0, 8, false], ['EXP', 0x40, 0x3c, false], ['AER', 0x100, 0x2c, false], ['PASID', 0x300, 8, false],
    ]);
    expect(findings).toEqual([{ kind: 'list-goes-backwards', space: 'standard', at: 0xc0, pointer: 0x40 }]);
  });

  it('finds a capability by its ID in its space', () => {
    const found = survey(buildConfigSpace({ standard: [{ id: 1, offset: 0x40 }], extended: [{ id: 1,
      offset: 0x100 }] }));
    expect(findCapability(found, 'standard', 1)?.offset).toBe(0x40);
    expect(findCapability(found, 'extended', 1)?.offset).toBe(0x100);
    expect(findCapability(found, 'extended', 0x1b)).toBeUndefined();
  });

  it('is the same for the same bytes', () => {
    const build = () => survey(buildConfigSpace({ standard: [express()], extended: [{ id: 0x99, offset: 0x100 }] }));
    expect(build()).toEqual(build());
  });
});

describe('findings about extents', () => {
  it('name an ID without a row, and treat it as opaque', () => {
    const { capabilities, findings } = survey(buildConfigSpace({
      standard: [express()], extended: [{ id: 0x1002, offset: 0x100 }, { id: 0x03, offset: 0x180 }],
    }));
    expect(findings).toEqual([{ kind: 'capability-unknown', space: 'extended', id: 0x1002, offset: 0x100 }]);
    expect(capabilities[1]).toMatchObject({ length: 0x80, opaque: true, row: { name: 'unknown-1002' } });
  });

  it('name a length register that tells too little', () => {
    expect(findingsOf({ standard: [{ id: 9, offset: 0x40, body: [0] }] })).toEqual([
      { kind: 'capability-too-short', space: 'standard', id: 9, offset: 0x40, length: 0, least: 3 },
    ]);
  });

  it('name a standard capability that passes 0x100, and clip it there', () => {
    const { capabilities, findings } = survey(buildConfigSpace({ standard: [{ id: 9, offset: 0x50, body: [0xff] }] }));
    expect(capabilities).toMatchObject([{ length: 0xb0, opaque: false }]);
    expect(findings).toEqual([
      { kind: 'capability-passes-end', space: 'standard', id: 9, offset: 0x50, length: 0xff, end: 0x100 },
    ]);
  });

  it('name an extended capability that passes the end, and clip it there', () => {
    const { capabilities, findings } = survey(buildConfigSpace({
      standard: [express()], extended: [{ id: 0x0b, offset: 0x100, body: u32(0xfff10001) }],
    }));
    expect(capabilities[1]).toMatchObject({ length: 0xf00, opaque: false });
    expect(findings).toEqual([
      { kind: 'capability-passes-end', space: 'extended', id: 0x0b, offset: 0x100, length: 0xfff, end: 0x1000 },
    ]);
  });

  it('name a capability that reaches over the next start', () => {
    expect(findingsOf({ standard: [{ id: 9, offset: 0x40, body: [0x20] }, { id: 1, offset: 0x50 }] })).toEqual([
      { kind: 'capability-overlaps', space: 'standard', id: 9, offset: 0x40, length: 0x20, nextStart: 0x50 },
    ]);
  });

  it('name the firmware bug of DPC logs of size 0', () => {
    const dpc = (register: number) => findingsOf({ standard: [express({ portType: 4 })],
      extended: [{ id: 0x1d, offset: 0x100, body: u32(register) }] });
    expect(dpc(0x0020)).toEqual([{ kind: 'dpc-log-size-zero', offset: 0x100 }]);
    expect(dpc(0x0420)).toEqual([]);
    expect(dpc(0x0000)).toEqual([]);
  });
});

describe('findings about the function', () => {
  it('name a capture that stopped early', () => {
    expect(findingsOf({ capturedBytes: 0x200 }))
      .toEqual([{ kind: 'capture-truncated', capturedBytes: 0x200, sizeBytes: 4096 }]);
  });

  it('name an extended list without a capability that announces extended space', () => {
    expect(findingsOf({ extended: [{ id: 3, offset: 0x100 }] })).toEqual([{ kind: 'extended-without-express' }]);
    expect(findingsOf({ standard: [express()], extended: [{ id: 3, offset: 0x100 }] })).toEqual([]);
    const pcix = (status: number) => findingsOf({
      standard: [{ id: 7, offset: 0x40, body: [0, 0, ...u32(status)] }], extended: [{ id: 3, offset: 0x100 }],
    });
    expect(pcix(0x40000000)).toEqual([]);
    expect(pcix(0x80000000)).toEqual([]);
    expect(pcix(0x0003ffff)).toEqual([{ kind: 'extended-without-express' }]);
  });

  it('say of a function that is gone only that it is: no capabilities, no gaps, no free byte', () => {
    for (const size of [256, 4096]) {
      const gone = ConfigSpace.from(new Uint8Array(size).fill(0xff));
      if (!gone.ok) throw new Error('refused');
      const { capabilities, gaps, findings, owners } = survey(gone.value);
      expect([capabilities, gaps, findings]).toEqual([[], [], [{ kind: 'all-ones', offset: 0, length: size }]]);
      expect(owners.runs().map(({ owner, length }) => [owner, length]))
        .toEqual([['header', 64], ['not-decoded', size - 64]]);
    }
  });

  it('do not take a VF for gone because its IDs read all-ones', () => {
    const space = buildConfigSpace({ vendorId: 0xffff, deviceId: 0xffff, standard: [express()] });
    expect(survey(space, 'vf').capabilities).toHaveLength(1);
  });

  it('name what a VF must share with its PF: PASID, PRI and the serial number', () => {
    const space = buildConfigSpace({
      standard: [express()],
      extended: [{ id: 0x1b, offset: 0x100 }, { id: 0x13, offset: 0x110 }, { id: 0x03, offset: 0x120 }, { id: 0x0f,
        offset: 0x130 }],
    });
    expect(survey(space, 'vf').findings).toEqual([
      { kind: 'vf-lists-shared-capability', id: 0x1b, name: 'PASID', offset: 0x100 },
      { kind: 'vf-lists-shared-capability', id: 0x13, name: 'PRI', offset: 0x110 },
      { kind: 'vf-lists-shared-capability', id: 0x03, name: 'DSN', offset: 0x120 },
    ]);
    expect(survey(space, 'pf').findings).toEqual([]);
  });
});

describe('a length that depends on a register', () => {
  it('of a PCI Express capability that would pass 0x100 takes nothing from the bytes behind it', () => {
    // Bit 21 of what would be DevCap2, at 0xe0 + 0x24 = 0x104, is a status bit of AER here.
    const aerBytes = (status: number): number | undefined => survey(buildConfigSpace({
      standard: [{ id: 0x10, offset: 0xe0, body: [0x02, 0x00] }],
      extended: [{ id: 0x0001, offset: 0x100 }],
      bytes: { 0x104: [0, 0, status, 0] },
    })).capabilities.find((one) => one.space === 'extended')?.length;
    expect([aerBytes(0x00), aerBytes(0x20)]).toEqual([0x2c, 0x2c]);
  });

  it('that was not captured is not told: the structure is opaque', () => {
    const cut = survey(buildConfigSpace({
      size: 256, standard: [{ id: 0x14, offset: 0xf8, body: [0x01] }], capturedBytes: 0xfa,
    }));
    expect(cut.capabilities).toMatchObject([{ id: 0x14, opaque: true }]);
  });
});

describe('the VF column of the catalogue', () => {
  it('is marked as confirmed for the few rows whose sources are firm', () => {
    const confirmed = capabilityCatalogue.extended.filter((row) => row.allowedIn.vfConfirmed).map((row) => row.name);
    expect(confirmed).toEqual(['ATS', 'SRIOV', 'PRI', 'PASID']);
  });
});
