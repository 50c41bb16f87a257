import { ConfigOffset } from '@cadastre/config-space';
import { buildConfigSpace, type ConfigSpaceParts, express, u16, u32 } from '@cadastre/config-space/testing';
import { guestWrites } from './guest-writes.js';
import { type Knobs } from './knobs.js';
import { device, dwordsThatDiffer, extendedOf, guestOf, linux72, nvidiaKernel, pasid16, pinned, predict, standardOf,
  told, withPasid } from './testing.js';
import { profileNamed } from './vmm-profiles.js';

const on = (port: Knobs['port']): Knobs => port === undefined ? {} : { port };
const expressOnly = (portType: number, version = 2): ConfigSpaceParts => ({
  standard: [{ id: 1, offset: 0x40 }, express({ offset: 0x60, portType, version, lanes: 16 })],
  bytes: { 0x70: [0x40, 0, 0x01, 0x01], 0x8c: u32(0x1e), 0x90: u32(0x00010003) },
});
const gpu = (parts: ConfigSpaceParts): ConfigSpaceParts => ({
  ...parts, vendorId: 0x10de, classCode: 0x030000, bytes: { 0x10: u32(0xfe000000) },
});
const clique = { settings: { 'x-nv-gpudirect-clique': '5' } };

describe('the facts of QEMU', () => {
  it('Q1: without a standard list nothing is added', () => {
    const vmd = { vendorId: 0x8086, deviceId: 0x9a0b, status: 0 };
    expect(dwordsThatDiffer(buildConfigSpace(vmd), guestOf(predict(vmd, 'qemu-11.1', {}, withPasid)))).toEqual([]);
    expect(told(predict(vmd, 'qemu-11.1'))).toContain('Q1 nothing-done');
  });

  it('Q2: a capability claims up to the next start, so link registers in a gap read 0 too', () => {
    const prediction = predict(expressOnly(0, 1), 'qemu-11.1', on('root-bus'));
    expect([guestOf(prediction).u32(0x8c), guestOf(prediction).u32(0x90)]).toEqual([0, 0]);
    expect(told(prediction)).toContain('Q2 gap-cleared');
    const close = { ...expressOnly(0), standard: [express({ offset: 0x60 }), { id: 9, offset: 0x80, body: [0x20] }],
      bytes: {} };
    expect(dwordsThatDiffer(predict(close, 'qemu-11.1').vfio, guestOf(predict(close, 'qemu-11.1', on('root-bus')))))
      .toEqual(['60:00928010', '6c:00000000']);
  });

  it('Q3: the standard list keeps its order, ascending or not', () => {
    const parts = { standard: [{ id: 5, offset: 0xa0 }, { id: 1, offset: 0x40 }, express({ offset: 0x60 })] };
    expect(standardOf(predict(parts, 'qemu-11.1'))).toBe('a0:5>40:1>60:10');
  });

  it('Q4: an overlap with what is already there fails the device, whoever has the bytes', () => {
    const clashes = { standard: [{ id: 5, offset: 0x40, body: u16(0x0180) }, { id: 9, offset: 0x54, body: [8] }] };
    for (const name of ['qemu-7.2', 'qemu-10.0', 'qemu-11.0', 'qemu-11.1']) {
      expect(predict(clashes, name).outcome).toMatchObject({ kind: 'refused', rule: 'Q4', confidence: 'D',
        says: 'capability 0x5 of 24 bytes at 0x40 overlaps the capability at 0x54' });
    }
    const parts = gpu({ standard: [{ id: 1, offset: 0x40 }, { id: 5, offset: 0xcc }] });
    expect(predict(parts, 'qemu-11.1', clique).outcome).toMatchObject({ kind: 'refused', rule: 'reading D8',
      confidence: 'D' });
    expect(predict(parts, 'qemu-11.1').outcome.kind).toBe('starts');
  });

  it.each([
    [0, 'root-bus', 0x00920010, 0, 0, 0, 0], [0, 'root-port', 0x00020010, 0x101, 0x01010040, 0x1e, 0x00010003],
    [9, 'root-port', 0x00020010, 0x11, 0x01010000, 0x1e, 0x00010003],
    [0, 'conventional-root', 0x00020010, 0x101, 0x01010040, 0x1e, 0x00010003],
  ] as const)('Q5: type %p on the %s', (type, port, ...registers) => {
    const guest = guestOf(predict(expressOnly(type), 'qemu-11.1', on(port)));
    expect([0x60, 0x6c, 0x70, 0x8c, 0x90].map((at) => guest.u32(at))).toEqual(registers);
  });

  it('Q5: dropped behind a bridge and for a legacy endpoint on the root bus; refused for ports', () => {
    expect(standardOf(predict(expressOnly(0), 'qemu-11.1', on('pci-bridge')))).toBe('40:1');
    expect(standardOf(predict(expressOnly(1), 'qemu-11.1', on('root-bus')))).toBe('40:1');
    const listed = { ...expressOnly(1), extended: [{ id: 3, offset: 0x100 }] };
    expect(told(predict(listed, 'qemu-11.1', on('root-bus')))).toContain('observed 10 extended-without-express');
    expect(standardOf(predict(expressOnly(1), 'qemu-11.1'))).toBe('40:1>60:10');
    expect(predict(expressOnly(4), 'qemu-11.1').outcome).toMatchObject({ kind: 'refused', rule: 'Q5',
      says: 'assignment of PCIe type 0x4 devices is not currently supported' });
    expect(guestOf(predict(expressOnly(0, 0), 'qemu-11.1')).u16(0x62)).toBe(1);
  });

  it('Q6: virtual capabilities come last', () => {
    const parts = gpu({ standard: [{ id: 1, offset: 0xf0 }, { id: 5, offset: 0x40 }] });
    expect(standardOf(predict(parts, 'qemu-11.1', clique))).toBe('f0:1>40:5>c8:9');
  });

  it('Q7: the clique wants an NVIDIA display controller and C8 or D4', () => {
    const at = (...offsets: readonly number[]) => gpu({ standard: offsets.map((offset) => ({ id: 5, offset })) });
    expect(standardOf(predict(at(0x40), 'qemu-11.1', clique))).toBe('40:5>c8:9');
    expect(standardOf(predict(at(0x40, 0xc8), 'qemu-11.1', clique))).toBe('40:5>c8:5>d4:9');
    expect(predict(at(0xc8, 0xd4), 'qemu-11.1', clique).outcome).toMatchObject({ kind: 'refused', rule: 'Q7' });
    expect(predict({ ...at(0x40), vendorId: 0x8086 }, 'qemu-11.1', clique).outcome).toMatchObject({ rule: 'Q7' });
    expect(predict({ ...at(0x40), classCode: 0x020000 }, 'qemu-11.1', clique).outcome).toMatchObject({ rule: 'Q7' });
  });

  it.each([0x201d, 0x467f, 0x4c3d, 0x9a0b])('Q8: the VMD shadow of %p holds BARs 2 to 5 of this host', (deviceId) => {
    const bars = [0xfebf0004, 0x00000001, 0xfea00000, 0x12345678];
    const parts = { vendorId: 0x8086, deviceId, standard: [{ id: 5, offset: 0x40 }],
      bytes: { 0x18: bars.flatMap((bar) => [...u32(bar)]) } };
    for (const port of [undefined, 'conventional-root'] as const) {
      const prediction = predict(parts, 'qemu-11.1', on(port));
      const guest = guestOf(prediction);
      expect([0xe8, 0xec, 0xf0, 0xf4, 0xf8, 0xfc].map((at) => guest.u32(at)))
        .toEqual([0x01180009, 0x53484457, ...bars]);
      expect(standardOf(prediction)).toBe('40:5>e8:9');
      expect(prediction.findings).toContainEqual(expect.objectContaining({ rule: 'Q8', confidence: 'D' }));
    }
    expect(standardOf(predict({ ...parts, deviceId: deviceId + 1 }, 'qemu-11.1'))).toBe('40:5');
    expect(standardOf(predict({ ...parts, vendorId: 0x1234 }, 'qemu-11.1'))).toBe('40:5');
  });

  it('Q9: no extended list, no PASID; no extended space on a conventional bus', () => {
    expect(guestOf(predict(device.d3, 'qemu-11.1', {}, withPasid)).u32(0xff8)).toBe(0);
    expect(guestOf(predict(device.d1, 'qemu-11.1', on('conventional-root'), withPasid)).size).toBe(256);
  });

  it('Q10: a dropped head reads ID 0, and nothing kept reads 0', () => {
    const only = { ...device.d2, extended: [{ id: 0x0e, offset: 0x100 }, { id: 0x10, offset: 0x140 }] };
    expect(guestOf(predict(device.d2, 'qemu-11.1')).u32(0x100)).toBe(0x14000000);
    expect(guestOf(predict(only, 'qemu-11.1')).u32(0x100)).toBe(0);
  });

  it('Q11: REBAR offers the active size alone, and 7.2 drops it', () => {
    const rebar = (size: number) => ({ ...device.d3, extended: [{ id: 1, offset: 0x100 },
      { id: 0x15, offset: 0x200, body: [...u32(0x00fffff0), ...u32(0xfff00020 | (size << 8))] }] });
    const guest = guestOf(predict(rebar(8), 'qemu-11.1'));
    expect([guest.u32(0x204), guest.u32(0x208)]).toEqual([0x1000, 0x0820]);
    expect(extendedOf(predict(rebar(8), 'qemu-7.2'))).toBe('100:1');
    expect(extendedOf(predict(rebar(20), 'qemu-11.1'))).toBe('100:1');
    expect(extendedOf(predict(rebar(19), 'qemu-10.0'))).toBe('100:1>200:15');
  });

  it('Q12: the room of a capability ends at the next start, also of one that is dropped', () => {
    const next = (id: number, offset: number) => predict({ ...device.d3, extended: [{ id: 1, offset: 0x100 },
      { id: 3, offset: 0x200 }, { id, offset }] }, 'qemu-11.1').outcome;
    expect([next(0x18, 0x208), next(0x10, 0x208)].map(({ kind }) => kind)).toEqual(['starts', 'starts']);
    for (const id of [0x18, 0x10, 0x0e]) {
      expect(next(id, 0x204)).toMatchObject({ kind: 'aborts', rule: 'Q12', confidence: 'D',
        says: '4 bytes at 0x200: an assertion wants 8' });
    }
    const last = { ...device.d3, extended: [{ id: 1, offset: 0x100 }, { id: 0x18, offset: 0xffc }] };
    expect(predict(last, 'qemu-11.1').outcome).toMatchObject({ kind: 'aborts', rule: 'Q12' });
  });

  it('Q13: of a header that is not the head only bits 31:22 are emulated', () => {
    const parts = { ...device.d3, extended: [{ id: 1, offset: 0x100, next: 0x140 }, { id: 3, offset: 0x140,
      next: 0x163 }, { id: 0x10, offset: 0x160, next: 0x1a0 }, { id: 0x0f, offset: 0x1a0 }] };
    expect(guestOf(predict(parts, 'qemu-11.1')).u32(0x140) >>> 20).toBe(0x1a3);
    expect(told(predict(parts, 'qemu-11.1'))).toEqual(expect.arrayContaining(
      ['observed 14 reserved-bits-shown', 'observed 15 header-stays']));
  });

  it.each([
    ['no iommufd', linux72, {}], ['a width of 0', { ...linux72, pasid: { ...pasid16, widthBits: 0 } }, {}],
    ['a vIOMMU without PASID', withPasid, { viommuPasid: false }],
  ])('Q14: %s: no PASID', (_, host, knobs) => {
    expect(extendedOf(predict(device.d1, 'qemu-11.0', knobs, host))).toBe('100:1>1f0:f');
    expect(told(predict(device.d1, 'qemu-11.0', { ...knobs, ...pinned('0x300') }, host)))
      .toContain('Q14 pasid-not-made');
  });

  it('Q14: with all of it, unless the hardware has PASID and its kernel shows it', () => {
    const prediction = predict(device.d1, 'qemu-11.0', {}, withPasid);
    expect(extendedOf(prediction)).toBe('100:1>1f0:f>ff8:1b');
    expect(told(prediction)).toContain('Q14 pasid-made');
    const own = { ...device.d1, extended: [...device.d1.extended, { id: 0x1b, offset: 0x2d0 }] };
    expect(extendedOf(predict(own, 'qemu-11.0', {}, nvidiaKernel))).toBe('100:1>1f0:f>2d0:1b');
    expect(extendedOf(predict(own, 'qemu-11.0', {}, withPasid))).toBe('100:1>1f0:f>ff8:1b');
    expect(extendedOf(predict(device.d1, 'qemu-10.0', {}, withPasid))).toBe('100:1>1f0:f');
  });

  it('Q15: 0xff8 unless the setting says otherwise, and the implicit one is told', () => {
    expect(extendedOf(predict(device.d1, 'qemu-11.0', pinned('0x300'), withPasid))).toBe('100:1>1f0:f>300:1b');
    expect(told(predict(device.d1, 'qemu-11.0', pinned('0'), withPasid))).toContain('Q15 implicit-offset');
    expect(told(predict(device.d1, 'qemu-11.0', pinned('0x300'), withPasid))).not.toContain('Q15 implicit-offset');
  });

  it('Q16: neither bodies nor the header 4 bytes ahead are looked at', () => {
    const covering = predict(device.d1, 'qemu-11.0', pinned('0x1ec'), withPasid);
    expect(told(covering)).toEqual(expect.arrayContaining(['reading D7 header-destroyed', 'Q16 registers-covered']));
    expect(guestOf(covering).u32(0x1f0)).toBe(0x1006);
  });

  it('Q17: linked behind the last header at or below it', () => {
    for (const [offset, list] of [['0x110', '100:1>110:1b>1f0:f'], ['0x200', '100:1>1f0:f>200:1b']] as const) {
      expect(extendedOf(predict(device.d1, 'qemu-11.0', pinned(offset), withPasid))).toBe(list);
    }
  });

  it('Q18: alone behind the stub', () => {
    const only = { ...device.d2, extended: [{ id: 0x10, offset: 0x100 }] };
    const prediction = predict(only, 'qemu-11.0', {}, withPasid);
    expect([guestOf(prediction).u32(0x100), guestOf(prediction).u32(0xff8)]).toEqual([0xff800000, 0x0001001b]);
    expect(prediction.findings).toContainEqual(expect.objectContaining({ rule: 'Q18', confidence: 'D' }));
  });

  it.each([[16, true, true, 0x1006], [20, false, false, 0x1400], [1, true, false, 0x0102], [8, false, true, 0x0804]])(
    'Q19: width %p, execute %p, privileged %p', (widthBits, execute, privileged, register) => {
      const host = { ...linux72, pasid: { widthBits, execute, privileged } };
      const guest = guestOf(predict(device.d1, 'qemu-11.0', {}, host));
      expect([guest.u32(0xff8), guest.u16(0xffc), guest.u16(0xffe)]).toEqual([0x0001001b, register, 0]);
    });

  it('Q19: a guest changes the three enable bits, whatever of them is supported', () => {
    const host = { ...linux72, pasid: { widthBits: 8, execute: false, privileged: false } };
    const space = buildConfigSpace(device.d1);
    const profile = profileNamed('qemu-11.0');
    const writes = profile.ok ? guestWrites(space, profile.value, {}, host) : null;
    expect([0xff8, 0xffb, 0xffc, 0xffd, 0xffe, 0xfff].map((at) => writes?.[at]?.shown)).toEqual([0, 0, 0, 0, 7, 0]);
    expect(writes?.[0xffe]?.hardware).toBe(0xff);
  });

  it('Q20: what is written to the made capability reaches the hardware', () => {
    expect(predict(device.d1, 'qemu-11.0', {}, withPasid).writeThrough).toContainEqual(
      { offset: 0xff8, length: 8, rule: 'Q20', confidence: 'D', underSynthetic: true });
  });

  it('Q21: a refused offset is silent', () => {
    expect(predict(device.d1, 'qemu-11.0', pinned('0x102'), withPasid)).toMatchObject({
      outcome: { kind: 'starts' }, failureMode: 'silent' });
  });

  it('Q22: migration compares what a capability claims, and leaves a vendor\'s bytes out since 9.1', () => {
    const seen = ['qemu-7.2', 'qemu-10.0', 'qemu-11.0', 'qemu-11.1'].map((name) => {
      const profile = profileNamed(name);
      return [predict(device.d1, name).migration.kind, profile.ok && profile.value.exemptsVendorBytes];
    });
    const since = ['compares-bytes', true];
    expect(seen).toEqual([['compares-bytes', false], since, since, since]);
    expect(predict(device.d1, 'qemu-11.0').migration).toMatchObject({ rule: 'Q22', confidence: 'V' });
    // A byte of a gap is claimed by the capability before it, so it differs where the hardware does.
    const gap = (value: number) => guestOf(predict({ ...device.d1, bytes: { 0x148: [value] } }, 'qemu-11.0'));
    expect(dwordsThatDiffer(gap(1), gap(2))).toEqual(['148:00000002']);
  });

  it('Q23: a destination that has PASID elsewhere refuses late, and the prediction says so', () => {
    const at = (offset: string) => predict(device.d1, 'qemu-11.0', pinned(offset), withPasid);
    expect(dwordsThatDiffer(guestOf(at('0x300')), guestOf(at('0x400')))).toEqual(
      ['1f0:4001000f', '300:00000000', '304:00000000', '400:0001001b', '404:00001006']);
    expect(at('0x300').findings)
      .toContainEqual(expect.objectContaining({ rule: 'Q23', confidence: 'D', offset: 0x300 }));
    expect(predict(device.d1, 'qemu-11.0').findings).not.toContainEqual(expect.objectContaining({ rule: 'Q23' }));
  });

  it('Q24: the ID knobs change the IDs and nothing else; MSI-X moves', () => {
    const settings = { 'x-pci-vendor-id': '0x1234', 'x-pci-sub-device-id': '0xdef0', 'x-pci-class-code': '0x030000' };
    expect(dwordsThatDiffer(guestOf(predict(device.d1, 'qemu-11.0')),
      guestOf(predict(device.d1, 'qemu-11.0', { settings })))).toEqual(['0:10411234', '8:03000000', '2c:def00000']);
    const msix = { standard: [{ id: 0x11, offset: 0x40, body: [...u16(7), ...u32(0x2000), ...u32(0x3000)] }],
      bytes: { 0x10: u32(0xfe000004) } };
    const move = (bar: string, host = linux72) =>
      predict(msix, 'qemu-11.0', { settings: { 'x-msix-relocation': bar } }, host);
    expect(told(move('bar0'))).toContain('observed 12 bar-size-needed');
    const moved = guestOf(move('bar0', { ...linux72, barSizesBytes: [0x4000, 0, 0, 0, 0, 0] }));
    expect([moved.u32(0x44), moved.u32(0x48)]).toEqual([0x4000, 0x4080]);
    const added = guestOf(move('bar2'));
    expect([added.u32(0x18), added.u32(0x44), added.u32(0x48)]).toEqual([0x0c, 2, 0x82]);
    expect(move('bar1').outcome).toMatchObject({ kind: 'refused', confidence: 'D' });
    expect(move('auto').outcome).toMatchObject({ kind: 'refused', rule: 'Q24' });
  });
});

describe('what vfio-pci does not give to any VMM', () => {
  it('is a bridge, and what its denylist names; what the host may not claim is told', () => {
    expect(predict({ headerType: 1 }, 'crosvm').outcome).toMatchObject({ kind: 'refused', rule: 'reading C8' });
    const denied = (deviceId: number) => predict({ vendorId: 0x8086, deviceId }, 'openvmm').outcome;
    expect([denied(0x0b25), denied(0x37c8)]).toMatchObject([{ kind: 'refused', rule: 'observed 13', confidence: 'V' },
      { kind: 'refused', confidence: 'D' }]);
    expect(denied(0x10c9).kind).toBe('starts');
    expect(told(predict({ classCode: 0, bytes: { 0x14: u32(0xfe000000) } }, 'qemu-11.1')))
      .toContain('observed 13 may-not-open');
    expect(told(predict({ classCode: 0 }, 'qemu-11.1'))).not.toContain('observed 13 may-not-open');
    expect(told(predict({ standard: [{ id: 0x14, offset: 0x40 }] }, 'qemu-11.1'))).toContain(
      'observed 13 may-not-open');
  });

  it('does not concern a VMM that reads something else', () => {
    expect(predict({ headerType: 1 }, 'generic').outcome.kind).toBe('starts');
  });
});

describe('an NVIDIA function whose BAR 0 has no resource of the host', () => {
  it('may not start, which was seen and is not understood', () => {
    const parts = (vendorId: number, bar: number) => ({ vendorId, bytes: { 0x10: u32(bar) } });
    const kinds = (vendorId: number, bar: number) => predict(parts(vendorId, bar), 'qemu-11.1').findings
      .filter(({ kind }) => kind === 'may-not-start').map(({ confidence }) => confidence);
    expect([kinds(0x10de, 0), kinds(0x10de, 0xfe000000), kinds(0x8086, 0)]).toEqual([['U'], [], []]);
  });
});

describe('a VMM that obeys a document', () => {
  it('shows the physical space with the patches of the document', () => {
    const offset = ConfigOffset.from(0x104);
    if (!offset.ok) throw new Error('0x104 is an offset');
    const patches = [{ offset: offset.value, mask: 0xffffffff, value: 0x12345678 }];
    const guest = guestOf(predict(device.d1, 'generic', { patches }));
    expect(dwordsThatDiffer(buildConfigSpace(device.d1), guest)).toEqual(['104:12345678']);
  });
});

describe('what was observed of QEMU', () => {
  it('a guest starts with MSI as after a reset, BARs without addresses, one function', () => {
    const parts = { headerType: 0x80, command: 0x0106, standard: [{ id: 5, offset: 0x40, body: [...u16(0x0189),
      ...u32(0xfee00000), ...u32(1), ...u16(0x4021), ...u16(0), ...u32(3), ...u32(5)] }],
    bytes: { 0x10: u32(0xfe00000c), 0x14: u32(1), 0x18: u32(0xe001), 0x30: u32(0xfe000001) } };
    const guest = guestOf(predict(parts, 'qemu-11.1'));
    expect([0x04, 0x0c, 0x10, 0x14, 0x18, 0x30].map((at) => guest.u32(at)))
      .toEqual([0x00100100, 0, 0x0c, 0, 0x01, 0]);
    expect([0x40, 0x44, 0x48, 0x4c, 0x50, 0x54].map((at) => guest.u32(at))).toEqual([0x01880005, 0, 0, 0, 0, 0]);
  });

  it('ats=off drops ATS in 11.1, and older ones refuse the setting', () => {
    const off = { settings: { ats: 'off' } };
    expect(extendedOf(predict(device.d1, 'qemu-11.1', off))).toBe('100:1');
    expect(extendedOf(predict(device.d1, 'qemu-11.1', { settings: { ats: 'on' } }))).toBe('100:1>1f0:f');
    expect(predict(device.d1, 'qemu-11.0', off).outcome).toMatchObject({ kind: 'refused' });
    expect(predict(device.d1, 'qemu-10.0', pinned('0x300')).outcome).toMatchObject({ kind: 'refused',
      rule: 'settings', says: expect.stringMatching(/^setting-unknown: x-vpasid-cap-offset=0x300;/) as unknown,
    });
  });

  it('broken lists: a pointer below 0x100 aborts, a loop hangs, and 11.1 does so on every bus', () => {
    const low = { ...device.d3, extended: [{ id: 1, offset: 0x100, next: 0x40 }] };
    const loop = { ...device.d3, extended: [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x150, next: 0x100 }] };
    const standardLoop = { standard: [{ id: 1, offset: 0x40, next: 0x40 }] };
    const ends = (parts: ConfigSpaceParts, port: Knobs['port'], name = 'qemu-11.1') =>
      predict(parts, name, on(port)).outcome.kind;
    expect([ends(low, 'root-port'), ends(low, 'conventional-root')]).toEqual(['aborts', 'aborts']);
    expect([ends(loop, 'root-bus'), ends(loop, 'pci-bridge')]).toEqual(['hangs', 'hangs']);
    expect(ends(loop, 'pci-bridge', 'qemu-10.0')).toBe('starts');
    expect(ends(standardLoop, 'root-port')).toBe('hangs');
  });
});
