import { vfioWrites, type WriteEffect } from '@cadastre/config-space';
import { buildConfigSpace, type ConfigSpaceParts, express, type ExtendedEntry, type StandardEntry, u16,
  u32 } from '@cadastre/config-space/testing';
import { type HostFacts } from './host-facts.js';
import { device, guestOf, linux72, nvidiaKernel, predict } from './testing.js';

const linux61: HostFacts = { kernel: { release: '6.1', flavour: 'upstream' }, pasid: null };
const first = (parts: ConfigSpaceParts, host = linux72) => predict(parts, 'openvmm', {}, host);
/** Mapped bytes of one capability: up to where writes are raw again. */
function mapped(at: number, parts: ConfigSpaceParts, host = linux72): number {
  const end = first(parts, host).writeThrough.find(({ offset }) => offset > at)?.offset;
  return (end ?? 0x1000) - at;
}
const lengthOf = (entry: StandardEntry, host = linux72): number =>
  mapped(entry.offset, { standard: [entry, express({ offset: 0x40 })] }, host);
const extendedLengthOf = (id: number, body: readonly number[] = []): number =>
  mapped(0x200, { standard: [express()], extended: [{ id: 1, offset: 0x100 }, { id, offset: 0x200, body }] });
const hiddenIds = (parts: ConfigSpaceParts, host = linux72): readonly string[] =>
  first(parts, host).findings.filter(({ kind }) => kind === 'vfio-capability-hidden')
    .map(({ rule, says }) => `${rule} ${says}`);
/** What a write of a user to a byte does. */
const effect = (parts: ConfigSpaceParts, at: number): WriteEffect => {
  const mask = vfioWrites(buildConfigSpace(parts), linux72.kernel)[at];
  if (mask === undefined) throw new Error(`the region ends before ${at}`);
  return mask.effect;
};

describe('the facts of vfio-pci', () => {
  it('K1: one owner per byte, and its permissions follow the owner', () => {
    const parts = { standard: [express({ offset: 0x80 }), { id: 9, offset: 0x40, body: [0x20] },
      { id: 1, offset: 0x50 }] };
    expect([0x41, 0x4f, 0x50, 0x56, 0x58, 0x60, 0x82, 0x89].map((at) => effect(parts, at))).toEqual(
      ['hardware', 'hardware', 'dropped', 'hardware', 'hardware', 'hardware', 'dropped', 'mediated']);
    expect(effect(parts, 0x54)).toBe('mediated');
  });

  it('K2: bytes of no capability go to the hardware and come from it, in both spaces', () => {
    expect(first({ size: 256 }).writeThrough).toEqual([
      { offset: 0x40, length: 0xc0, rule: 'K2', confidence: 'V', underSynthetic: false }]);
    const parts = { standard: [express()], extended: [{ id: 3, offset: 0x100 }], bytes: { 0x90: [7], 0x800: [9] } };
    expect([0x90, 0x800].map((at) => [first(parts).vfio.u8(at), effect(parts, at)]))
      .toEqual([[7, 'hardware'], [9, 'hardware']]);
    expect(effect(parts, 0x108)).toBe('dropped');
  });

  it('K3: headers come from the virtual copy, bodies from the hardware, and neither is written', () => {
    const parts = { standard: [express({ next: 0x80 }), { id: 0x0d, offset: 0x80 }, { id: 0x11, offset: 0xa0 }],
      extended: [{ id: 3, offset: 0x100, body: [1, 2, 3, 4] }, { id: 0x1d, offset: 0x150 },
        { id: 0x18, offset: 0x180 }] };
    const { vfio } = first(parts);
    expect([vfio.u8(0x41), vfio.u32(0x100), vfio.u32(0x104)]).toEqual([0xa0, 0x18010003, 0x04030201]);
    expect([0xa0, 0xa1, 0xa3, 0xab, 0x100, 0x103, 0x104, 0x10b, 0x187].map((at) => effect(parts, at)))
      .toEqual(new Array(9).fill('dropped'));
  });

  /** Effects of whole registers: one letter for each byte of the capability. */
  const letters = { hardware: 'H', partly: 'p', mediated: 'm', virtual: 'v', dropped: '.' } as const;
  const effects = (at: number, bytes: number, parts: ConfigSpaceParts): string =>
    Array.from({ length: bytes }, (_, index) => letters[effect(parts, at + index)]).join('');

  it.each([
    ['PM', 0x01, [], '....mpHH'], ['VPD', 0x03, [], '..vmvvvv'],
    ['PCI-X', 0x07, u16(0x2000), '..HH....HHHH'.padEnd(24, '.')],
    ['PCI Express', 0x10, u16(2), `........pm${'.'.repeat(30)}pH`.padEnd(0x34, '.')], ['AF', 0x13, [], '....m.'],
    ['MSI', 0x05, u16(0), '..m.vvvvvv'], ['MSI-X', 0x11, [], '.'.repeat(12)], ['AGP', 0x02, [], '.'.repeat(12)],
    ['MSI of 64 bits with masks', 0x05, u16(0x0180), '..m.vvvvvvvvvv..HHHHHHHH'],
    ['VNDR', 0x09, [0x0c], 'H'.repeat(12)],
  ])('K4: what is written to %s', (_, id, body, expected) => {
    expect(effects(0x80, expected.length, { standard: [{ id, offset: 0x80, body }] })).toBe(expected);
  });

  it.each([
    ['AER', 0x01, [], `....${'ppHp'.repeat(3)}pp..pp..pp`.padEnd(0x2c, '.')],
    ['power budgeting', 0x04, [], '........H.......'],
    ['DVSEC', 0x23, u32(0x00c00000), 'H'.repeat(12)], ['VNDR', 0x0b, u32(0x00c00000), 'H'.repeat(12)],
    ['ATS', 0x0f, [], '........'],
  ])('K4: what is written to extended %s', (_, id, body, expected) => {
    expect(effects(0x100, expected.length, { standard: [express()], extended: [{ id, offset: 0x100, body }] }))
      .toBe(expected);
  });

  it('K4: of the header, IDs and pin are dropped, BARs and line stay with the kernel', () => {
    const parts = { size: 256 } as const;
    expect([0x00, 0x04, 0x05, 0x06, 0x0c, 0x0e, 0x10, 0x33, 0x34, 0x3c, 0x3d].map((at) => effect(parts, at))).toEqual([
      'dropped', 'mediated', 'mediated', 'dropped', 'hardware', 'dropped', 'virtual', 'virtual', 'dropped', 'virtual',
      'dropped']);
  });

  it('K4: a vendor\'s bytes are told apart from those of nobody', () => {
    const { writeThrough } = first({ standard: [express(), { id: 9, offset: 0x80, body: [0x10] }],
      extended: [{ id: 0x23, offset: 0x100, body: u32(0x02000000) }] });
    expect(writeThrough.map(({ offset, length, rule }) => [offset, length, rule])).toEqual([
      [0x74, 0x0c, 'K2'], [0x80, 0x10, 'K4'], [0x90, 0x70, 'K2'], [0x100, 0x20, 'K4'], [0x120, 0xee0, 'K2']]);
  });

  it.each([0, 0x04, 0x06, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x14, 0x15, 0x7f])(
    'K5: standard capability %p is hidden', (id) => {
      expect(hiddenIds({ standard: [{ id, offset: 0x80 }, express()] })).toEqual([
        `K5 vfio-pci has no length for this standard ID, and hides it: 0x${id.toString(16)} at 0x80`]);
    });

  it.each([[0x01, 8], [0x02, 12], [0x03, 8], [0x11, 12], [0x13, 6]])(
    'K5: standard capability %p is mapped for %p bytes', (id, bytes) => {
      expect(lengthOf({ id, offset: 0xa0, body: new Array<number>(0x20).fill(0) })).toBe(bytes);
    });

  it.each([[0x05, u16(0x0000), 10], [0x05, u16(0x0080), 14], [0x05, u16(0x0100), 20], [0x05, u16(0x0180), 24],
    [0x07, u16(0), 8], [0x07, u16(0x1000), 24], [0x07, u16(0x2000), 24], [0x08, u16(0xa800), 24], [0x08, u16(0), 28],
    [0x12, [0, 0, ...u32(0xf)], 16], [0x12, [0, 0, ...u32(4)], 8]])(
    'K6: capability %p with %j is mapped for %p bytes', (id, body, bytes) => {
      expect(lengthOf({ id, offset: 0xa0, body })).toBe(bytes);
    });

  it('K6: a vendor\'s is as long as its third byte says, and hidden when that is 0', () => {
    const vendor = (length: number) => first({ standard: [{ id: 9, offset: 0xa0, body: [length] }] });
    expect(vendor(0x14).writeThrough)
      .toContainEqual(expect.objectContaining({ offset: 0xa0, length: 0x14, rule: 'K4' }));
    expect([vendor(0x14).vfio.u8(0x34), vendor(0).vfio.u8(0x34)]).toEqual([0xa0, 0]);
  });

  it.each([[1, 0, 0x14, 0x14], [1, 9, 0x0c, 0x0c], [2, 0, 0x32, 0x34], [2, 9, 0x2c, 0x2c], [0, 0, 0x32, 0x34],
    [2, 1, 0x32, 0x34]])(
    'K7: PCI Express version %p type %p is mapped for %p bytes on 6.1, %p on 7.2', (version, portType, old, now) => {
      const parts = { standard: [express({ version, portType })] };
      expect([mapped(0x40, parts, linux61), mapped(0x40, parts)]).toEqual([old, now]);
    });

  it.each([[0x01, 0x2c], [0x03, 0xc], [0x04, 0x10], [0x0e, 8], [0x0f, 8], [0x10, 0x40], [0x12, 0x28], [0x13, 0x10],
    [0x18, 8]])('K8: extended capability %p is mapped for %p bytes', (id, bytes) => {
    expect(extendedLengthOf(id)).toBe(bytes);
  });

  it.each([0x05, 0x06, 0x07, 0x0a, 0x0c, 0x11, 0x14, 0x19, 0x1a, 0x1b, 0x1d, 0x1e, 0x1f, 0x25, 0x26, 0x27, 0x2a, 0x2e,
    0x30, 0x99])('K9: extended capability %p is hidden', (id) => {
    expect(hiddenIds({ standard: [express()], extended: [{ id: 1, offset: 0x100 }, { id, offset: 0x200 }] })).toEqual([
      `K9 vfio-pci has no length for this extended ID, and hides it: 0x${id.toString(16)} at 0x200`]);
  });

  it.each([[0x0d, u32(0x2800), 8], [0x0d, u32(0x2820), 0x10], [0x0d, u32(0x0020), 0x28], [0x0d, u32(0x2120), 0x10],
    [0x15, [...u32(0), ...u32(0x20)], 0x0c], [0x15, [...u32(0), ...u32(0x60)], 0x1c], [0x16, u32(9), 0x1a],
    [0x16, u32(0), 0x11], [0x17, u32(0x00070200), 0x1c], [0x17, u32(0x00070400), 0x0c], [0x17, u32(0), 0x0c],
    [0x02, u32(0), 0x1c], [0x02, u32(1), 0x28], [0x08, u32(1), 0x28], [0x09, [...u32(0), ...u32(2)], 0x30],
    [0x02, [...u32(0), ...u32(4)], 0x40], [0x02, [...u32(0), ...u32(8)], 0x60]])(
    'K10: extended capability %p with %j is mapped for %p bytes', (id, body, bytes) => {
      expect(extendedLengthOf(id, body)).toBe(bytes);
    });

  it.each([0x0b, 0x23])('K10: extended capability %p is as long as its own header says', (id) => {
    const parts = { standard: [express()], extended: [{ id: 1, offset: 0x100 },
      { id, offset: 0x200, body: u32(0x02200000) }] };
    expect(first(parts).writeThrough).toContainEqual({ offset: 0x200, length: 0x22, rule: 'K4', confidence: 'V',
      underSynthetic: false });
  });

  it('K11: what is hidden keeps its bytes, and they can be written', () => {
    const { vfio, writeThrough, findings } = first({ standard: [express({ next: 0x80 }), { id: 0x0d, offset: 0x80,
      body: [0, 0, 0x86, 0x80] }] });
    expect([vfio.u8(0x41), vfio.u32(0x80)]).toEqual([0, 0x0000000d]);
    expect(writeThrough[0]).toMatchObject({ offset: 0x74, length: 0xf8c, rule: 'K2' });
    expect(findings.map(({ rule }) => rule)).toContain('K11');
  });

  it('K12: a hidden head keeps a placeholder, and a list of nothing reads 0', () => {
    const head = (extended: readonly ExtendedEntry[]) => first({ standard: [express()], extended }).vfio.u32(0x100);
    expect(head([{ id: 0x1d, offset: 0x100 }, { id: 3, offset: 0x140 }])).toBe(0x14000000);
    expect(head([{ id: 0x1d, offset: 0x100 }, { id: 0x19, offset: 0x140 }])).toBe(0);
    expect(first({ standard: [express()], extended: [{ id: 0x1d, offset: 0x100 }] }).findings)
      .toContainEqual(expect.objectContaining({ rule: 'K12', kind: 'vfio-head-placeholder' }));
  });

  it('K13: of an overlap the one linked later has the bytes, and it is reported', () => {
    const parts = { standard: [express()], extended: [{ id: 0x0b, offset: 0x100, body: u32(0x08000000) },
      { id: 3, offset: 0x140 }] };
    expect([0x13f, 0x144, 0x14b, 0x14c].map((at) => effect(parts, at)))
      .toEqual(['hardware', 'dropped', 'dropped', 'hardware']);
    expect(first(parts).findings).toContainEqual(expect.objectContaining({ rule: 'K13', offset: 0x140,
      kind: 'vfio-capability-conflict' }));
  });

  it('K13: a list is walked 48 steps, so what comes after is not hidden', () => {
    const hidden = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ id: 0x0d, offset: 0x40 + 2 * index }));
    expect(first({ size: 256, standard: hidden(48) }).vfio.u8(0x34)).toBe(0);
    expect(first({ size: 256, standard: hidden(49) }).vfio.u8(0x34)).toBe(0x40 + 2 * 48);
    const loop = first({ standard: [express({ next: 0x40 })] });
    expect(loop.findings.map(({ kind }) => kind)).toContain('vfio-capability-list-loops');
  });

  it('K14: the physical PASID shows on an NVIDIA kernel, and only there', () => {
    const parts = { standard: [express()], extended: [{ id: 1, offset: 0x100 }, { id: 0x1b, offset: 0x180 }] };
    expect(first(parts, nvidiaKernel).chain.extended.map(({ id }) => id)).toEqual([1, 0x1b]);
    expect(first(parts).chain.extended.map(({ id }) => id)).toEqual([1]);
  });

  it('a kernel nobody observed is told, with how well it is known', () => {
    const known = (release: string) => first({ size: 256 },
      { ...linux72, kernel: { release, flavour: 'upstream' } }).findings
      .map(({ kind, confidence }) => [kind, confidence]);
    expect([known('7.2'), known('6.12'), known('6.6'), known('5.4')]).toEqual([
      [], ...['V', 'D', 'U'].map((one) => [['vfio-kernel-not-observed', one]])]);
  });

  it('K15: a VF gets its IDs, memory space and no pin; nobody gets PME; BARs are left to the VMM', () => {
    const parts = { standard: [{ id: 1, offset: 0x40, body: [0xff, 0xff, 0xff, 0xff] }], vendorId: 0xffff,
      deviceId: 0xffff, bytes: { 0x10: u32(0xfe000004), 0x3d: [1] } };
    const about = { role: 'vf', ids: { vendorId: 0x8086, deviceId: 0x10ca } } as const;
    const { vfio, findings } = first(parts, { ...linux72, about });
    expect([vfio.u32(0), vfio.u16(4), vfio.u8(0x3d), vfio.u8(0x43), vfio.u8(0x45)])
      .toEqual([0x10ca8086, 2, 0, 0x07, 0x7e]);
    expect(findings.map(({ rule, kind }) => `${rule} ${kind}`)).toEqual(expect.arrayContaining([
      'K15 vfio-ids-of-the-physical-function', 'K15 vfio-pin-hidden', 'observed 7 vfio-pme-hidden']));
    const pf = first(parts).vfio;
    expect([pf.u32(0), pf.u16(4), pf.u8(0x3d)]).toEqual([0xffffffff, 0, 1]);
  });

  it('K16: extended space needs a capability that announces it and a DWORD at 0x100', () => {
    const extended = [{ id: 0x1b, offset: 0x100 }, { id: 3, offset: 0x140 }];
    expect(first({ extended }).vfio.size).toBe(256);
    expect(first({ extended }).findings).toContainEqual(expect.objectContaining({ rule: 'K16' }));
    const pcix = (status: number, command = 0x2000) =>
      first({ standard: [{ id: 7, offset: 0x40, body: [...u16(command), ...u32(status)] }], extended }).vfio;
    expect([pcix(0).size, pcix(0x40000000).size, pcix(0x80000000).size]).toEqual([256, 4096, 4096]);
    expect(pcix(0x40000000).u32(0x100)).toBe(0x14000000);
    expect(pcix(0x40000000, 0).u32(0x100)).toBe(0x1401001b);
    expect(guestOf(first(device.d3)).u32(0x100)).toBe(0);
    expect(buildConfigSpace(device.d3).size).toBe(4096);
  });
});
