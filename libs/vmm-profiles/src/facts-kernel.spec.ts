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
  first(parts, host).findings.filter(({ kind }) => kind === 'vfio-capability-hidden').map(({ says }) => says);

describe('the facts of vfio-pci', () => {
  it('K1: one owner per byte, and its permissions follow the owner', () => {
    expect(mapped(0x40, { standard: [express()] })).toBe(0x34);
  });

  it('K2: bytes of no capability are the guest\'s to write', () => {
    expect(first({ size: 256 }).writeThrough).toEqual([
      { offset: 0x40, length: 0xc0, rule: 'K2', confidence: 'V', underSynthetic: false }]);
  });

  it('K3: an extended header comes from the virtual copy, the body from the hardware', () => {
    const { vfio } = first({ standard: [express()], extended: [{ id: 1, offset: 0x100, body: [1, 2, 3, 4] },
      { id: 0x1d, offset: 0x150 }, { id: 3, offset: 0x180 }] });
    expect([vfio.u32(0x100), vfio.u32(0x104)]).toEqual([0x18010001, 0x04030201]);
  });

  it('K4: vendor-specific structures and DVSEC are written through', () => {
    const { writeThrough } = first({ standard: [express(), { id: 9, offset: 0x80, body: [0x10] }],
      extended: [{ id: 0x23, offset: 0x100, body: u32(0x02000000) }] });
    expect(writeThrough.map(({ offset, length }) => [offset, length])).toEqual([[0x74, 0xf8c]]);
  });

  it.each([0, 0x04, 0x06, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x14, 0x15, 0x7f])(
    'K5: standard capability %p is hidden', (id) => {
      expect(hiddenIds({ standard: [{ id, offset: 0x80 }, express()] })).toHaveLength(1);
    });

  it.each([[0x05, u16(0x0000), 10], [0x05, u16(0x0080), 14], [0x05, u16(0x0180), 24], [0x07, u16(0), 8],
    [0x07, u16(0x2000), 24], [0x09, [0x14], 0], [0x08, u16(0xa800), 24], [0x08, u16(0), 28],
    [0x12, [0, 0, ...u32(0xf)], 16]])('K6: capability %p with %j is mapped for %p bytes', (id, body, bytes) => {
    if (bytes > 0) expect(lengthOf({ id, offset: 0xa0, body })).toBe(bytes);
    else expect(first({ standard: [{ id, offset: 0xa0, body }] }).vfio.u8(0x34)).toBe(0xa0);
  });

  it.each([[1, 0, 0x14, 0x14], [1, 9, 0x0c, 0x0c], [2, 0, 0x32, 0x34], [2, 9, 0x2c, 0x2c]])(
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
    expect(hiddenIds({ standard: [express()], extended: [{ id: 1, offset: 0x100 }, { id, offset: 0x200 }] }))
      .toHaveLength(1);
  });

  it.each([[0x0d, u32(0x2820), 0x10], [0x15, [...u32(0), ...u32(0x20)], 0x0c], [0x16, u32(9), 0x1a],
    [0x17, u32(0x00070200), 0x1c], [0x02, u32(1), 0x28]])('K10: extended capability %p with %j is mapped for %p bytes',
    (id, body, bytes) => {
      expect(extendedLengthOf(id, body)).toBe(bytes);
    });

  it('K11: what is hidden keeps its bytes, and they can be written', () => {
    const { vfio, writeThrough } = first({ standard: [express({ next: 0x80 }), { id: 0x0d, offset: 0x80, body: [0, 0,
      0x86, 0x80] }] });
    expect([vfio.u8(0x41), vfio.u32(0x80)]).toEqual([0, 0x0000000d]);
    expect(writeThrough[0]).toMatchObject({ offset: 0x74, length: 0xf8c });
  });

  it('K12: a hidden head keeps a placeholder, and a list of nothing reads 0', () => {
    const head = (extended: readonly ExtendedEntry[]) => first({ standard: [express()], extended }).vfio.u32(0x100);
    expect(head([{ id: 0x1d, offset: 0x100 }, { id: 3, offset: 0x140 }])).toBe(0x14000000);
    expect(head([{ id: 0x1d, offset: 0x100 }, { id: 0x19, offset: 0x140 }])).toBe(0);
  });

  it('K13: an overlap is reported, and a loop is walked to its bound', () => {
    const overlap = first({ standard: [express()], extended: [{ id: 0x0b, offset: 0x100, body: u32(0x08000000) },
      { id: 3, offset: 0x140 }] });
    expect(overlap.findings.map(({ kind, rule }) => [kind, rule])).toContainEqual(['vfio-capability-conflict', 'K13']);
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

  it('K15: a VF gets its IDs and no pin; nobody gets PME', () => {
    const parts = { standard: [{ id: 1, offset: 0x40, body: [0xff, 0xff, 0xff, 0xff] }], vendorId: 0xffff,
      deviceId: 0xffff, bytes: { 0x3d: [1] } };
    const about = { role: 'vf', ids: { vendorId: 0x8086, deviceId: 0x10ca } } as const;
    const { vfio } = first(parts, { ...linux72, about });
    expect([vfio.u32(0), vfio.u8(0x3d), vfio.u8(0x43), vfio.u8(0x45)]).toEqual([0x10ca8086, 0, 0x07, 0x7e]);
  });

  it('K16: extended space needs a capability that announces it and a DWORD at 0x100', () => {
    expect(first({ extended: [{ id: 1, offset: 0x100 }] }).vfio.size).toBe(256);
    expect(guestOf(first(device.d3)).u32(0x100)).toBe(0);
    expect(buildConfigSpace(device.d3).size).toBe(4096);
  });
});
