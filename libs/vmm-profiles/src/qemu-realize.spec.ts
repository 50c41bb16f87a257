import { buildConfigSpace, type ConfigSpaceParts, express, type StandardEntry, u16,
  u32 } from '@cadastre/config-space/testing';
import { type HostFacts } from './host-facts.js';
import { type Knobs } from './knobs.js';
import { device, extendedOf, guestOf, linux72, pinned, predict, standardOf, told, withPasid } from './testing.js';

const msi = (offset: number, control: number): StandardEntry => ({ id: 5, offset, body: u16(control) });
/** MSI-X of some vectors; table and PBA are BAR and offset in one, as the registers have them. */
const msix = (offset: number, vectors: number, table: number, pba: number): StandardEntry =>
  ({ id: 0x11, offset, body: [...u16(vectors - 1), ...u32(table), ...u32(pba)] });
const only = (...standard: readonly StandardEntry[]): ConfigSpaceParts => ({ standard });
const gpu = (...standard: readonly StandardEntry[]): ConfigSpaceParts =>
  ({ standard, vendorId: 0x10de, classCode: 0x030000, bytes: { 0x10: u32(0xfe000000) } });
const clique: Knobs = { settings: { 'x-nv-gpudirect-clique': '5' } };
const since100 = ['qemu-10.0', 'qemu-11.0', 'qemu-11.1'];
const everyQemu = ['qemu-7.2', ...since100];
const ends = (parts: ConfigSpaceParts, name: string, knobs: Knobs = {}, host: HostFacts = linux72) => {
  const { outcome } = predict(parts, name, knobs, host);
  return outcome.kind === 'starts' ? 'starts' : `${outcome.kind} ${outcome.rule} ${outcome.confidence}`;
};
const allEnd = (parts: ConfigSpaceParts, expected: string, names = everyQemu, knobs: Knobs = {}): void => {
  expect(names.map((name) => [name, ends(parts, name, knobs)])).toEqual(names.map((name) => [name, expected]));
};

describe('a structure of fixed size that QEMU takes from the tail of the list (Q4, reading P1)', () => {
  it.each([[0x0000, 10], [0x0080, 14], [0x0100, 20], [0x0180, 24]])(
    'MSI with control %p takes %p bytes, and refuses a neighbour that starts inside', (control, bytes) => {
      const inside = 0x40 + bytes - (bytes % 4 === 0 ? 4 : bytes % 4);
      allEnd(only(msi(0x40, control), { id: 9, offset: inside, body: [8] }), 'refused Q4 D');
      allEnd(only(msi(0x40, control), { id: 9, offset: inside + 4, body: [8] }), 'starts');
    });

  it('is told with both offsets', () => {
    expect(predict(only(msi(0x40, 0x0180), { id: 1, offset: 0x50 }), 'qemu-11.1').outcome).toMatchObject({
      says: 'capability 0x5 of 24 bytes at 0x40 overlaps the capability at 0x50' });
  });

  it('in whichever order the two are linked: bytes are taken in whole DWORDs', () => {
    allEnd(only({ id: 9, offset: 0x50, body: [8] }, msi(0x40, 0x0180)), 'refused Q4 D');
    allEnd(only({ id: 9, offset: 0x4c, body: [4] }, msi(0x40, 0x0000)), 'starts');
  });

  it('MSI-X takes 12 bytes', () => {
    allEnd(only(msix(0x40, 1, 0, 0x1000), { id: 9, offset: 0x48, body: [8] }), 'refused Q4 D');
    allEnd(only(msix(0x40, 1, 0, 0x1000), { id: 9, offset: 0x4c, body: [8] }), 'starts');
  });

  it('PM takes 8 bytes since 10.0; before it had what was left', () => {
    const parts = only({ id: 1, offset: 0x44 }, { id: 9, offset: 0x48, body: [8] });
    allEnd(parts, 'refused Q4 D', since100);
    allEnd(parts, 'starts', ['qemu-7.2']);
  });

  it('a body that says it is longer than its room refuses nothing: its size is the room', () => {
    allEnd(only({ id: 9, offset: 0x40, body: [0x20] }, { id: 1, offset: 0x50 }), 'starts');
  });

  it('a second MSI takes its room, and shows the hardware', () => {
    const parts = only({ ...msi(0x40, 0x0081), body: [...u16(0x0081), ...u32(0xfee00000)] },
      { ...msi(0x60, 0x0081), body: [...u16(0x0081), ...u32(0xfee00000)] });
    const guest = guestOf(predict(parts, 'qemu-11.1'));
    expect([guest.u32(0x40), guest.u32(0x44), guest.u32(0x60), guest.u32(0x64)])
      .toEqual([0x00806005, 0, 0x00810005, 0xfee00000]);
  });
});

describe('virtual capabilities, which take their bytes first (Q6)', () => {
  it.each([[msi(0xbc, 0x0080), 'MSI'], [msix(0xc0, 1, 0, 0x1000), 'MSI-X'], [msi(0xb8, 0x0180), 'masked MSI']])(
    'a clique at C8 refuses the GPU whose %s runs into it', (entry) => {
      allEnd(gpu({ id: 1, offset: 0x60 }, entry), 'refused Q4 D', everyQemu, clique);
      allEnd(gpu({ id: 1, offset: 0x60 }, entry), 'starts');
    });

  it('a clique masks a vendor body under it, and says so', () => {
    const parts = { ...gpu({ id: 9, offset: 0xc0, body: [0x20, ...new Array<number>(0x1d).fill(0xab)] }) };
    const prediction = predict(parts, 'qemu-11.1', clique);
    expect(standardOf(prediction)).toBe('c0:9>c8:9');
    expect(told(prediction)).toContain('Q6 registers-covered');
    expect(guestOf(prediction).u32(0xc4)).toBe(0xabababab);
    expect(guestOf(prediction).u32(0xd0)).toBe(0xabababab);
  });

  it('PCI Express in front of a clique claims what is left, so Link 2 behind it stays', () => {
    const parts = { ...gpu(express({ offset: 0xa0, lanes: 16 })) };
    const bytes = { ...parts.bytes, 0xcc: u32(0x1e), 0xd0: u32(0x00010003) };
    const on = (knobs: Knobs) => guestOf(predict({ ...parts, bytes }, 'qemu-11.1', { port: 'root-bus', ...knobs }));
    expect([0xac, 0xcc, 0xd0].map((at) => on({}).u32(at))).toEqual([0, 0, 0]);
    expect([0xac, 0xc8, 0xd0].map((at) => on(clique).u32(at))).toEqual([0, 0x50080009, 0x00010003]);
  });

  it('a clique has one place in QEMU 7.2, and two since 8.1', () => {
    allEnd(gpu(msix(0xc8, 1, 0, 0x1000)), 'starts', since100, clique);
    allEnd(gpu(msix(0xc8, 1, 0, 0x1000)), 'refused Q7 V', ['qemu-7.2'], clique);
  });

  it('the IDs and the class that settings give decide (reading P4)', () => {
    const vmd = { vendorId: 0x8086, deviceId: 0x9a0b, standard: [{ id: 1, offset: 0x40 }] };
    const as = (settings: Record<string, string>, parts: ConfigSpaceParts) =>
      predict(parts, 'qemu-11.1', { settings });
    expect(standardOf(as({}, vmd))).toBe('40:1>e8:9');
    expect(standardOf(as({ 'x-pci-device-id': '0x1234' }, vmd))).toBe('40:1');
    expect(standardOf(as({ 'x-pci-vendor-id': '0x8086', 'x-pci-device-id': '0x201d' }, device.d3)))
      .toBe('40:1>60:10>e8:9');
    const asGpu = { 'x-pci-vendor-id': '0x10de', 'x-pci-class-code': '0x030200', 'x-nv-gpudirect-clique': '1' };
    expect(standardOf(as(asGpu, device.d3))).toBe('40:1>60:10>c8:9');
    expect(as({ 'x-pci-vendor-id': '0x1234', 'x-nv-gpudirect-clique': '1' }, gpu({ id: 1, offset: 0x40 })).outcome)
      .toMatchObject({ kind: 'refused', rule: 'Q7' });
  });
});

describe('MSI and MSI-X that QEMU cannot emulate', () => {
  it.each([[5, 'starts'], [6, 'aborts reading P3 D'], [7, 'aborts reading P3 D']])(
    'MSI of 2^%p vectors: %s', (log2, expected) => {
      allEnd(only(msi(0x40, log2 << 1)), expected);
    });

  it('an MSI-X table over its PBA is refused, one behind the other is not', () => {
    allEnd(only(msix(0x90, 1, 0, 0)), 'refused reading P2 D');
    allEnd(only(msix(0x90, 1, 0, 0x8)), 'refused reading P2 D');
    allEnd(only(msix(0x90, 1, 0, 0x10)), 'starts');
    allEnd(only(msix(0x90, 1, 0x8, 0)), 'starts');
    allEnd(only(msix(0x90, 65, 0x8, 0)), 'refused reading P2 D');
    allEnd(only(msix(0x90, 1, 0, 1)), 'starts');
  });

  it('a BAR above 5 is refused', () => {
    allEnd(only(msix(0x90, 1, 6, 0x1000)), 'refused reading P2 D');
    allEnd(only(msix(0x90, 1, 0, 0x1007)), 'refused reading P2 D');
  });

  it('BAR sizes that are told must hold both', () => {
    const fits = (table: number, pba: number, ...barSizesBytes: readonly number[]) =>
      ends(only(msix(0x90, 4, table, pba)), 'qemu-11.1', {}, { ...linux72, barSizesBytes });
    expect(fits(0xfc0, 0x800, 0x1000)).toBe('starts');
    expect(fits(0xfd0, 0x800, 0x1000)).toBe('refused reading P2 D');
    expect(fits(0, 0x1000, 0x1000)).toBe('refused reading P2 D');
    expect(fits(0, 0xff8, 0x1000)).toBe('starts');
    expect(fits(0, 2, 0x1000, 0, 0)).toBe('refused reading P2 D');
    expect(fits(2, 0x800, 0x1000, 0, 0)).toBe('aborts reading P2 D');
  });
});

describe('x-msix-relocation (reading P5)', () => {
  type Bytes = Readonly<Record<number, readonly number[]>>;
  const move = (bar: string, bars: Bytes, host: Partial<HostFacts> = {}, vectors = 4) =>
    predict({ ...only(msix(0x90, vectors, 0, 0)), bytes: bars }, 'qemu-11.1',
      { settings: { 'x-msix-relocation': bar } }, { ...linux72, ...host });
  const places = (prediction: ReturnType<typeof move>) =>
    [0x94, 0x98].map((at) => guestOf(prediction).u32(at));

  it('takes whole pages of the host: a small BAR is not doubled but filled up', () => {
    const bars = { 0x10: u32(0xfe000000) };
    expect(places(move('bar0', bars, { barSizesBytes: [0x400] }))).toEqual([0x1000, 0x1040]);
    expect(places(move('bar0', bars, { barSizesBytes: [0x400], pageBytes: 0x10000 }))).toEqual([0x10000, 0x10040]);
    expect(places(move('bar0', bars, { barSizesBytes: [0x400] }, 300))).toEqual([0x2000, 0x32c0]);
    expect(places(move('bar0', bars, { barSizesBytes: [0x8000] }))).toEqual([0x8000, 0x8040]);
  });

  it('refuses a 32-bit BAR above 1 GiB, not one of 64 bits', () => {
    const big = { barSizesBytes: [0x80000000] };
    expect(move('bar0', { 0x10: u32(0x80000000) }, big).outcome).toMatchObject({ kind: 'refused', rule: 'reading P5' });
    expect(places(move('bar0', { 0x10: u32(0x8000000c) }, big))).toEqual([0x80000000, 0x80000040]);
    expect(places(move('bar0', { 0x10: u32(0x80000000) }, { barSizesBytes: [0x40000000] })))
      .toEqual([0x40000000, 0x40000040]);
  });

  it('tells the upper half of a BAR by its lower half, whatever its own bits look like', () => {
    const bars = { 0x10: u32(0xe000000c), 0x14: u32(0x00000004), 0x18: u32(0xfe000000) };
    expect(move('bar1', bars).outcome).toMatchObject({ kind: 'refused', rule: 'reading P5' });
    expect(places(move('bar2', bars, { barSizesBytes: [0x100000, 0, 0x2000] }))).toEqual([0x2002, 0x2042]);
  });

  it('refuses I/O ports, but not where the host gave them no resource', () => {
    expect(move('bar2', { 0x18: u32(0xe001) }).outcome).toMatchObject({ kind: 'refused', rule: 'reading P5' });
    expect(places(move('bar2', { 0x18: u32(0xe001) }, { barSizesBytes: [0, 0, 0, 0, 0, 0] }))).toEqual([2, 0x42]);
  });

  it('leaves the bytes open where a size is missing, and is needed', () => {
    expect(move('bar0', { 0x10: u32(0xfe000000) }).unpredicted)
      .toEqual([{ offset: 0x94, length: 8, rule: 'observed 12' }]);
  });
});

describe('REBAR whose sizes QEMU cannot offer (reading P6)', () => {
  const rebar = (...controls: readonly number[]): ConfigSpaceParts => ({ ...device.d3, extended: [
    { id: 1, offset: 0x100 }, { id: 0x15, offset: 0x200,
      body: controls.flatMap((control) => [...u32(0x00fffff0), ...u32(control)]) }] });

  it('keeps size, count and index of the control register alone', () => {
    expect(guestOf(predict(rebar(0xffffe83f), 'qemu-11.1')).u32(0x208)).toBe(0x00000827);
  });

  it('drops the capability at a bad entry; those before it stay rewritten', () => {
    const prediction = predict(rebar(0x0000ff00 & 0x0800 | 0x40, 0x1400), 'qemu-11.1');
    const guest = guestOf(prediction);
    expect(extendedOf(prediction)).toBe('100:1');
    expect([0x200, 0x204, 0x208, 0x20c, 0x210].map((at) => guest.u32(at)))
      .toEqual([0x00010015, 0x1000, 0x0840, 0x00fffff0, 0x1400]);
  });
});

describe('REBAR that says it has more entries than room (observed 8)', () => {
  it('is written over the header behind it, which is then whole again but for its reserved bits', () => {
    const parts: ConfigSpaceParts = { ...device.d3, extended: [{ id: 1, offset: 0x100 },
      { id: 0x15, offset: 0x200, body: [...u32(0x00fffff0), ...u32(0x0860)] },
      { id: 0x0f, version: 2, offset: 0x20c, next: 0x302, body: [1, 2, 3, 4] }, { id: 3, offset: 0x300 }] };
    const prediction = predict(parts, 'qemu-11.1');
    expect(extendedOf(prediction)).toBe('100:1>200:15>20c:f>300:3');
    expect([0x204, 0x208, 0x20c, 0x210].map((at) => guestOf(prediction).u32(at)))
      .toEqual([0x1000, 0x0860, 0x3002000f, 0x0201]);
    expect(extendedOf(predict(parts, 'qemu-7.2'))).toBe('100:1>20c:f>300:3');
    expect(guestOf(predict(parts, 'qemu-7.2')).u32(0x20c)).toBe(0x3022000f);
  });
});

describe('ATS where iommufd tells of it (reading P7)', () => {
  const without = { ...withPasid, atsSupported: false };
  const list = (name: string, host: HostFacts, ats?: string): string =>
    extendedOf(predict(device.d1, name, ats === undefined ? {} : { settings: { ats } }, host)).replace('>ff8:1b', '');

  it('is dropped when the IOMMU cannot use it, and refused when it was asked for', () => {
    expect([list('qemu-11.1', without), list('qemu-11.1', without, 'auto')]).toEqual(['100:1', '100:1']);
    expect(ends(device.d1, 'qemu-11.1', { settings: { ats: 'on' } }, without)).toBe('refused reading P7 D');
    expect(list('qemu-11.1', withPasid, 'on')).toBe('100:1>1f0:f');
  });

  it('stays without iommufd, and in versions without the setting', () => {
    expect(list('qemu-11.1', { ...linux72, atsSupported: false })).toBe('100:1>1f0:f');
    expect(list('qemu-11.0', without)).toBe('100:1>1f0:f');
  });
});

describe('an extended pointer that leads where no header can be', () => {
  const leading = (next: number, parts: Partial<ConfigSpaceParts> = {}): ConfigSpaceParts =>
    ({ ...device.d3, extended: [{ id: 1, offset: 0x100, next }], ...parts });

  it('below 0x100 fails only where the bytes there are a capability that is kept', () => {
    for (const id of [0x0000, 0x000e, 0x0010]) {
      const parts = leading(0x0a0, { bytes: { 0xa0: u32(id) } });
      expect([id, ends(parts, 'qemu-11.1'), extendedOf(predict(parts, 'qemu-11.1'))]).toEqual([id, 'starts', '100:1']);
    }
    expect(ends(leading(0x0a0, { bytes: { 0xa0: u32(3) } }), 'qemu-10.0')).toBe('aborts observed 16 V');
  });

  it('is looked at on a conventional bus too, where 11.1 looks for ATS (reading P8)', () => {
    const conventional: Knobs = { port: 'conventional-root' };
    expect(ends(leading(0x0a0), 'qemu-11.1', conventional)).toBe('aborts observed 16 V');
    expect(ends(leading(0x0a0), 'qemu-11.0', conventional)).toBe('starts');
    const last = leading(0xffc, { bytes: { 0xffc: u32(0x00010018) } });
    expect(ends(last, 'qemu-11.1', conventional)).toBe('aborts reading P8 D');
    expect(ends(last, 'qemu-11.1')).toBe('aborts Q12 D');
    const ats = { ...device.d3, extended: [{ id: 0x0f, offset: 0x100, next: 0x0a0 }] };
    expect(ends(ats, 'qemu-11.1', conventional)).toBe('starts');
  });
});

describe('an offset beside PASID', () => {
  it('is told in hexadecimal, as every offset is', () => {
    const { findings } = predict(device.d1, 'qemu-11.0', pinned('0x1ec'), withPasid);
    expect(findings.find(({ rule }) => rule === 'reading D7')?.says).toBe('PASID runs into the header at 0x1f0');
    expect(buildConfigSpace(device.d1).u16(0x1f0)).toBe(0x0f);
  });
});
