import { findCapability, survey } from './survey.js';
import { buildConfigSpace, type ConfigSpaceParts, express, extendedHeader, type StandardEntry, u16,
  u32 } from './testing/build-config-space.js';
import { type HostKernel } from './vfio-kernels.js';
import { vfioView, vfioWrites } from './vfio-view.js';

const linux61: HostKernel = { release: '6.1', flavour: 'upstream' };
const linux72: HostKernel = { release: '7.2', flavour: 'upstream' };
const view = (parts: ConfigSpaceParts, kernel = linux72) => vfioView(buildConfigSpace(parts), kernel);
/** `name@offset` of everything the view lists. */
const listOf = (parts: ConfigSpaceParts, kernel = linux72): readonly string[] =>
  survey(view(parts, kernel).space).capabilities.map(({ row, offset }) => `${row.name}@${offset.toString(16)}`);

describe('the bytes a user of vfio-pci can write to the hardware', () => {
  it('are those nobody maps and vendor-specific structures', () => {
    const parts = {
      standard: [express(), { id: 9, offset: 0x80, body: [0x10] }],
      extended: [{ id: 1, offset: 0x100 }, { id: 0x0b, offset: 0x140, body: u32(0x02000000) }],
    };
    expect(view(parts).rawWritable.map(({ offset, length, of }) => [offset, offset + length, of])).toEqual([
      [0x74, 0x80, 'nobody'], [0x80, 0x90, 'vendor'], [0x90, 0x100, 'nobody'], [0x12c, 0x140, 'nobody'],
      [0x140, 0x160, 'vendor'], [0x160, 0x1000, 'nobody'],
    ]);
  });
});

describe('the vfio view of a standard list', () => {
  it('skips the IDs vfio-pci hides, and leaves their bytes where they are', () => {
    const parts = {
      size: 256 as const,
      standard: [{ id: 1, offset: 0x40 }, { id: 0x0d, offset: 0x48, body: [0, 0, 0x86, 0x80] }, { id: 5,
        offset: 0x54 }],
    };
    expect(listOf(parts)).toEqual(['PM@40', 'MSI@54']);
    const { space, findings } = view(parts);
    expect(space.u32(0x48)).toBe(0x0000540d);
    expect(space.u32(0x4c)).toBe(0x00008086);
    expect(findings).toEqual([{ kind: 'capability-hidden', space: 'standard', id: 0x0d, offset: 0x48 }]);
  });

  it('moves the pointer in the header past a hidden first one', () => {
    expect(listOf({ standard: [{ id: 4, offset: 0x40 }, { id: 1, offset: 0x50 }] })).toEqual(['PM@50']);
  });

  it('takes Status bit 4 away when nothing is left', () => {
    const { space } = view({ size: 256, standard: [{ id: 0x14, offset: 0x40 }] });
    expect([space.u8(0x06) & 0x10, space.u8(0x34)]).toEqual([0, 0]);
  });

  it.each([0x00, 0x04, 0x06, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x14, 0x15, 0x7f])('hides ID %i', (id) => {
    expect(listOf({ standard: [{ id: 1, offset: 0x40 }, { id, offset: 0x60 }] })).toEqual(['PM@40']);
  });

  it('hides a vendor capability that says it has no bytes', () => {
    expect(listOf({ standard: [{ id: 9, offset: 0x40, body: [0] }, { id: 9, offset: 0x60, body: [8] }] }))
      .toEqual(['VNDR@60']);
  });

  it('is empty without Status bit 4, though the pointer stays', () => {
    const { space } = view({ status: 0, standard: [{ id: 0x0d, offset: 0x40 }] });
    expect(space.u8(0x34)).toBe(0x40);
  });

  it('shows no PME to anybody: support, enable and status bits read 0', () => {
    const { space } = view({ size: 256, standard: [{ id: 1, offset: 0x40, body: [...u16(0xfe03), ...u16(0x8108)] }] });
    expect([space.u16(0x42), space.u16(0x44)]).toEqual([0x0603, 0x0008]);
  });

  it('takes two neighbours of one ID for one capability: the second header is the hardware\'s', () => {
    const standard = [{ id: 9, offset: 0x40, body: [8] }, { id: 9, offset: 0x48, body: [8] }, { id: 0x0d,
      offset: 0x60 }];
    expect(listOf({ standard })).toEqual(['VNDR@40', 'VNDR@48', 'SSVID@60']);
    expect(view({ size: 256, standard }).findings).toEqual([
      { kind: 'header-from-hardware', space: 'standard', id: 9, offset: 0x48 },
      { kind: 'capability-hidden', space: 'standard', id: 0x0d, offset: 0x60 },
    ]);
  });

  it('reports a structure inside another: the one linked later has the bytes', () => {
    expect(view({ size: 256, standard: [{ id: 9, offset: 0x40, body: [0x20] }, { id: 1, offset: 0x50 }] }).findings)
      .toEqual([{ kind: 'capability-conflict', space: 'standard', id: 1, offset: 0x50 }]);
  });

  it('copies a structure inside another from the hardware again, whatever was cleared there for the outer one', () => {
    const { space, findings } = view({
      size: 256,
      standard: [{ id: 1, offset: 0x40 }, { id: 3, offset: 0x42, body: [0x00, 0x81] }],
    });
    expect(findings.map(({ kind }) => kind)).toEqual(['pme-hidden', 'capability-conflict']);
    expect(space.u16(0x44)).toBe(0x8100);
  });

  it('follows a loop up to its bound and shows it as it is', () => {
    const { space, findings } = view({ size: 256, standard: [{ id: 1, offset: 0x40 }, { id: 5, offset: 0x50,
      next: 0x40 }] });
    expect([space.u8(0x41), space.u8(0x51)]).toEqual([0x50, 0x40]);
    expect(findings).toEqual([{ kind: 'capability-list-loops', space: 'standard', at: 0x40 }]);
  });
});

describe('the vfio view of an extended list', () => {
  const pcie = [express()];

  it('skips a hidden capability and keeps its bytes, header included', () => {
    const extended = [{ id: 1, offset: 0x100 }, { id: 0x1b, offset: 0x150, body: u32(0x1406) }, { id: 3,
      offset: 0x200 }];
    expect(listOf({ standard: pcie, extended })).toEqual(['EXP@40', 'AER@100', 'DSN@200']);
    const { space } = view({ standard: pcie, extended });
    expect([space.u32(0x150), space.u32(0x154)]).toEqual([extendedHeader(0x1b, 1, 0x200), 0x1406]);
  });

  it('keeps a placeholder for a hidden head: no ID, no version, the next one that is shown', () => {
    const extended = [{ id: 0x19, offset: 0x100 }, { id: 0x1b, offset: 0x140 }, { id: 3, offset: 0x200 }];
    expect(view({ standard: pcie, extended }).space.u32(0x100)).toBe(extendedHeader(0, 0, 0x200));
  });

  it('reads 0 at 0x100 when nothing is left', () => {
    const extended = [{ id: 0x19, offset: 0x100 }, { id: 0x1b, offset: 0x140 }];
    expect(view({ standard: pcie, extended }).space.u32(0x100)).toBe(0);
    const low = [{ id: 0x19, offset: 0x100, next: 0x040 }];
    expect(view({ standard: pcie, extended: low }).space.u32(0x100)).toBe(0);
  });

  it('shows DVSEC from 6.4 on', () => {
    const extended = [{ id: 1, offset: 0x100 }, { id: 0x23, offset: 0x150, body: u32(0x01011e98) }];
    const shown = (release: string) => listOf({ standard: pcie, extended }, { release, flavour: 'upstream' }).at(-1);
    expect(['5.15', '6.1.0-56-amd64', '6.3.9', '6.4', '6.12.117', '7.2.13+deb14-amd64', '10.0',
      'unreadable'].map(shown))
      .toEqual(['AER@100', 'AER@100', 'AER@100', 'DVSEC@150', 'DVSEC@150', 'DVSEC@150', 'DVSEC@150', 'AER@100']);
  });

  it('shows the physical PASID on NVIDIA kernels alone', () => {
    const parts = { standard: pcie, extended: [{ id: 1, offset: 0x100 }, { id: 0x1b, offset: 0x150 }] };
    expect(listOf(parts, { release: '6.11', flavour: 'nvidia' })).toEqual(['EXP@40', 'AER@100', 'PASID@150']);
    expect(listOf(parts, { release: '6.11', flavour: 'upstream' })).toEqual(['EXP@40', 'AER@100']);
  });

  it('hides every ID the kernel has no length for', () => {
    const shown: number[] = [];
    for (let id = 0; id <= 0x40; id += 1) {
      // A body that gives every ID with a length register one: eight bytes, one BAR.
      const extended = [{ id: 3, offset: 0x100 }, { id, offset: 0x200, body: [...u32(0x00800000), ...u32(0x20)] }];
      const { space } = view({ standard: pcie, extended });
      if (findCapability(survey(space), 'extended',
        id)?.offset === 0x200 || (id === 3 && space.u32(0x100) >>> 20 === 0x200)) {
        shown.push(id);
      }
    }
    expect(shown).toEqual([1, 2, 3, 4, 8, 9, 0x0b, 0x0d, 0x0e, 0x0f, 0x10, 0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x23]);
  });

  it('fails to hide what follows two neighbours of one ID, as observed on a CXL device', () => {
    const dvsec = { id: 0x23, body: u32(0x01001e98) };
    const extended = [{ ...dvsec, offset: 0x100 }, { ...dvsec, offset: 0x110 }, { id: 0x2e, offset: 0x140 }, { id: 3,
      offset: 0x200 }];
    expect(listOf({ standard: pcie, extended })).toEqual(['EXP@40', 'DVSEC@100', 'DVSEC@110', 'DOE@140', 'DSN@200']);
    expect(listOf({ standard: pcie, extended }, linux61)).toEqual(['EXP@40', 'NULL@100', 'DSN@200']);
  });

  it('masks reserved bits to follow a pointer, and keeps them when it writes one', () => {
    const extended = [{ id: 1, offset: 0x100, next: 0x152 }, { id: 0x1b, offset: 0x150 }, { id: 3, offset: 0x200 }];
    expect(view({ standard: pcie, extended }).space.u32(0x100)).toBe(extendedHeader(1, 1, 0x202));
  });

  it('ends the list where a pointer leads to a header of zero', () => {
    const extended = [{ id: 1, offset: 0x100, next: 0xe00 }];
    expect(view({ standard: pcie, extended }).space.u32(0x100)).toBe(extendedHeader(1, 1, 0));
  });

  it('shows a loop, and a pointer below 0x100, as they are', () => {
    const loop = view({ standard: pcie, extended: [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x150, next: 0x100 }] });
    expect(loop.space.u32(0x150)).toBe(extendedHeader(3, 1, 0x100));
    expect(loop.findings).toEqual([{ kind: 'capability-list-loops', space: 'extended', at: 0x100 }]);
    const low = view({ standard: pcie, extended: [{ id: 1, offset: 0x100, next: 0x040 }] });
    expect([low.space.u32(0x100), low.findings]).toEqual([extendedHeader(1, 1, 0x040), []]);
  });
});

describe('an extended header whose ID ends in what the byte map has a meaning for (reading P9)', () => {
  const pcie = [express()];
  const at = (parts: ConfigSpaceParts, ...offsets: readonly number[]) =>
    offsets.map((offset) => view({ standard: pcie, ...parts }).space.u32(offset));

  it('00, a null head above all, is read from the hardware, so what hangs behind it is not hidden', () => {
    const extended = [{ id: 0, offset: 0x100 }, { id: 0x1d, offset: 0x140 }, { id: 3, offset: 0x180 }];
    expect(listOf({ standard: pcie, extended })).toEqual(['EXP@40', 'NULL@100', 'DPC@140', 'DSN@180']);
    expect(at({ extended }, 0x100)).toEqual([extendedHeader(0, 1, 0x140)]);
    expect(view({ standard: pcie, extended }).findings).toContainEqual(
      { kind: 'header-of-null', space: 'extended', id: 0, offset: 0x100 });
    expect(at({ extended: [{ id: 0x200, offset: 0x100 }, { id: 0x1d, offset: 0x140 }] }, 0x100))
      .toEqual([extendedHeader(0x200, 1, 0x140)]);
  });

  it('ff is taken for bytes of nobody, fe for bytes the kernel keeps', () => {
    const headed = (id: number) => at({ extended: [{ id, offset: 0x100 }, { id: 3, offset: 0x180 }] }, 0x100)[0];
    expect([0x01ff, 0x01fe, 0x0123].map(headed))
      .toEqual([extendedHeader(0x01ff, 1, 0x180), 0x18000000, 0x18000000]);
    const effects = (id: number, kernel = linux72) => vfioWrites(buildConfigSpace({ standard: pcie,
      extended: [{ id, offset: 0x100 }, { id: 3, offset: 0x180 }] }), kernel)[0x100]?.effect;
    expect([0x01ff, 0x01fe, 0x0119].map((id) => effects(id))).toEqual(['hardware', 'virtual', 'dropped']);
    expect([effects(0x0123), effects(0x0123, linux61)]).toEqual(['hardware', 'dropped']);
  });
});

describe('a config region larger than what it lists (reading P10)', () => {
  const extended = [{ id: 0x19, offset: 0x100 }, { id: 3, offset: 0x140 }];

  it('is the one of a host bridge: 4096 bytes as the hardware has them, all writable', () => {
    const parts = { classCode: 0x060000, standard: [{ id: 1, offset: 0x40 }], extended };
    const { space, rawWritable, findings } = view(parts);
    expect([space.size, space.u32(0x100), space.u32(0x140)])
      .toEqual([4096, extendedHeader(0x19, 1, 0x140), extendedHeader(3, 1, 0)]);
    expect([rawWritable, findings]).toEqual([[{ offset: 0x48, length: 0xfb8, of: 'nobody' }],
      [{ kind: 'extended-space-without-list', offset: 0x100 }]]);
    expect(view({ ...parts, classCode: 0x060400 }).space.size).toBe(256);
    expect(view({ ...parts, standard: [express()] }).space.u32(0x100)).toBe(0x14000000);
  });

  it('is the one of PCI-X of version 0 that says 266 MHz, while version 2 has its list looked at', () => {
    const at100 = (command: readonly number[]) => view({
      standard: [{ id: 7, offset: 0x40, body: [...command, ...u32(1 << 30)] }], extended }).space.u32(0x100);
    expect([at100([0, 0]), at100([0, 0x20])]).toEqual([extendedHeader(0x19, 1, 0x140), 0x14000000]);
  });

  it('has no extended space that cannot be read, host bridge or not', () => {
    expect(view({ classCode: 0x060000, bytes: { 0x100: u32(0xffffffff) } }).findings)
      .toEqual([{ kind: 'extended-space-not-shown', because: 'all-ones' }]);
  });
});

describe('what a structure brings about beyond its own bytes', () => {
  it('one that passes 0x100 keeps the bytes up there from being written', () => {
    const parts = { standard: [express(), { id: 9, offset: 0xf0, body: [0x20] }] };
    const effects = (at: number) => vfioWrites(buildConfigSpace(parts), linux72)[at]?.effect;
    expect([0xf0, 0xff, 0x100, 0x10f, 0x110].map(effects))
      .toEqual(['hardware', 'hardware', 'dropped', 'dropped', 'hardware']);
  });

  it('the first PCI Express capability decides how long any other is (reading P11)', () => {
    const parts = { standard: [express({ version: 1 }), express({ offset: 0x80 })] };
    expect(view(parts).rawWritable.map(({ offset }) => offset)).toEqual([0x54, 0x94]);
  });

  it('PM whose first bytes a later one covers has other bits kept: its tables count from its own first byte', () => {
    const power = { id: 1, offset: 0x44, body: [...u16(0xfe03), ...u16(0x8108)] };
    const shown = (...standard: readonly StandardEntry[]) =>
      [0x44, 0x48].map((at) => view({ size: 256, standard }).space.u32(at));
    expect(shown(power)).toEqual([0x06030001, 0x0008]);
    expect(shown(power, { id: 9, offset: 0x40, body: [6] })).toEqual([0x06030001 | 0x4000, 0x0108]);
  });
});

describe('the config region', () => {
  const extended = [{ id: 3, offset: 0x100 }];

  it('has 256 bytes without a PCI Express or PCI-X mode 2 capability', () => {
    expect(view({ extended }).space.size).toBe(256);
    expect(view({ extended }).findings).toEqual([{ kind: 'extended-space-not-shown', because: 'not-announced' }]);
    expect(view({ standard: [{ id: 7, offset: 0x40, body: [0, 0, ...u32(0)] }], extended }).space.size).toBe(256);
    expect(view({ standard: [{ id: 7, offset: 0x40, body: [0, 0x20, ...u32(1 << 30)] }], extended }).space.size)
      .toBe(4096);
    expect(view({ standard: [express()], extended }).space.size).toBe(4096);
  });

  it('has 256 bytes when the space above cannot be read, or is the low one again', () => {
    const standard = [express()];
    expect(view({ standard, bytes: { 0x100: u32(0xffffffff) } }).findings)
      .toEqual([{ kind: 'extended-space-not-shown', because: 'all-ones' }]);
    const pages = Array.from({ length: 15 }, (_, index) => [(index + 1) * 0x100, u32(0x10411af4)] as const);
    expect(view({ standard, bytes: Object.fromEntries(pages) }).findings)
      .toEqual([{ kind: 'extended-space-not-shown', because: 'aliases' }]);
  });

  it('shows every byte outside list headers and PME bits as the hardware has it', () => {
    const bytes = { 0x80: [1, 2, 3], 0x600: [4, 5, 6] };
    const parts = { standard: [express()], extended, bytes };
    expect(view(parts).space.equals(buildConfigSpace(parts))).toBe(true);
  });

  it('leaves the physical space as it was', () => {
    const physical = buildConfigSpace({ standard: [{ id: 0x0d, offset: 0x40 }] });
    const before = physical.toBytes();
    vfioView(physical, linux72);
    expect(physical.toBytes()).toEqual(before);
  });

  it('keeps the captured length of a truncated capture', () => {
    expect(view({ standard: [express()], extended, capturedBytes: 0x140 }).space.capturedBytes).toBe(0x140);
  });
});

describe('what the bytes cannot say', () => {
  const physical = buildConfigSpace({ vendorId: 0xffff, deviceId: 0xffff, bytes: { 0x3d: [1] } });

  it('gives a VF its IDs, memory space enable and no interrupt pin', () => {
    const { space } = vfioView(physical, linux72, { role: 'vf', ids: { vendorId: 0x8086, deviceId: 0x10ca } });
    expect([space.u16(0), space.u16(2), space.u16(4), space.u8(0x3d)]).toEqual([0x8086, 0x10ca, 2, 0]);
  });

  it('takes the pin from a function the host gave no interrupt, and from those whose INTx cannot be masked', () => {
    expect(vfioView(physical, linux72).space.u8(0x3d)).toBe(1);
    expect(vfioView(physical, linux72, { hasInterrupt: false }).space.u8(0x3d)).toBe(0);
    const pinOf = (deviceId: number) => view({ vendorId: 0x8086, deviceId, bytes: { 0x3d: [1] } }).space.u8(0x3d);
    expect([0x1562, 0x1563, 0x1582, 0x1583, 0x158b, 0x158c, 0x37d1].map(pinOf)).toEqual([1, 0, 1, 0, 0, 1, 0]);
  });

  it('reports a header type vfio-pci does not bind, and a kernel nobody observed', () => {
    expect(view({ headerType: 1 }).findings).toContainEqual({ kind: 'function-not-bindable', headerType: 1 });
    const evidence = (release: string, flavour: HostKernel['flavour'] = 'upstream') =>
      vfioView(buildConfigSpace({ size: 256 }), { release, flavour }).findings;
    expect(evidence('6.1')).toEqual([]);
    expect(evidence('7.2.13')).toEqual([]);
    expect(evidence('6.12')).toEqual([{ kind: 'kernel-not-observed', release: '6.12', evidence: 'read' }]);
    expect(evidence('6.8')).toEqual([{ kind: 'kernel-not-observed', release: '6.8', evidence: 'derived' }]);
    expect(evidence('5.4')).toEqual([{ kind: 'kernel-not-observed', release: '5.4', evidence: 'unknown' }]);
    expect(evidence('6.1', 'nvidia')).toEqual([{ kind: 'kernel-not-observed', release: '6.1', evidence: 'read' }]);
  });
});
