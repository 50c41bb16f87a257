import { ConfigSpace, walkExtendedCapabilities } from '@cadastre/config-space';
import { buildConfigSpace, type ConfigSpaceParts, express, type ExtendedEntry, u16,
  u32 } from '@cadastre/config-space/testing';
import { walkStandard } from './families/standard-list.js';
import { device, dwordsThatDiffer, extendedOf, guestOf, linux72, nvidiaKernel, pasid16, predict, standardOf, told,
  withPasid } from './testing.js';

const old = 'cloud-hypervisor-old';
const made = 'cloud-hypervisor-new';
const clique = { settings: { x_nv_gpudirect_clique: '3' } };

describe('the facts of Cloud Hypervisor', () => {
  it('C1: two bits of a pointer are masked, one to itself ends the walk, a longer loop never ends', () => {
    const loop = (next: number) => ({ standard: [{ id: 1, offset: 0x40 }, { id: 5, offset: 0x60, next }] });
    expect(predict(loop(0x60), made).outcome.kind).toBe('starts');
    for (const name of [old, made]) {
      expect(predict(loop(0x40), name).outcome).toMatchObject({ kind: 'hangs', rule: 'C1', confidence: 'D' });
    }
    const masked = (mask: 0xfc | 0xff) => walkStandard(buildConfigSpace(loop(0x43)), mask, true);
    expect([masked(0xfc).loops, masked(0xff).items.map(({ offset }) => offset)]).toEqual([true, [0x40, 0x60, 0x43]]);
    const unannounced = { ...device.d1, status: 0 };
    expect(told(predict(unannounced, made))).toEqual(['C8 implicit-offset']);
  });

  it('C2: the standard list passes through; one function, and BARs of its own', () => {
    const bytes = { 0x10: u32(0xfe000004), 0x30: u32(0xfd000001) };
    const parts = { ...device.d1, headerType: 0x80, extended: [], bytes };
    for (const name of [old, made]) {
      const prediction = predict(parts, name);
      expect(dwordsThatDiffer(buildConfigSpace(parts), guestOf(prediction))).toEqual(['c:00000000']);
      expect(prediction.unpredicted).toEqual([{ offset: 0x10, length: 24, rule: 'C2' }, { offset: 0x30, length: 4,
        rule: 'C2' }]);
    }
  });

  it('C3: the clique is at D4 whatever the vendor and whatever is there', () => {
    const parts = { standard: [{ id: 1, offset: 0x40 }, { id: 5, offset: 0xd4 }] };
    const prediction = predict(parts, old, clique);
    expect(standardOf(prediction)).toBe('40:1>d4:9');
    expect(told(prediction)).toContain('C3 header-destroyed');
  });

  it('C4: without PM nothing is hidden and nothing is made', () => {
    expect(told(predict(device.d4, made, {}, withPasid))).toEqual(['C4 nothing-hidden', 'C8 implicit-offset']);
  });

  it.each([0x0e, 0x15, 0x10])('C5: extended capability %p is hidden', (id) => {
    const parts = { ...device.d1, extended: [{ id: 1, offset: 0x100 }, { id, offset: 0x200, body: u32(0) }] };
    expect([extendedOf(predict(parts, old)), extendedOf(predict(parts, made))]).toEqual(['100:1>200:0', '100:1']);
  });

  it('C6: the old one zeroes the ID and leaves version, link and body', () => {
    expect(dwordsThatDiffer(buildConfigSpace(device.d2), guestOf(predict(device.d2, old)))).toEqual(['100:14010000']);
  });

  it('C7: the new one unlinks, a run of hidden ones as one', () => {
    expect(extendedOf(predict(device.d1, made))).toBe('100:1>1f0:f');
    expect(guestOf(predict(device.d1, made)).u32(0x150)).toBe(0x1601000e);
    expect(guestOf(predict(device.d2, made)).u32(0x100)).toBe(0x14000000);
  });

  it('C8: PASID alone is at 0xff8', () => {
    expect(extendedOf(predict(device.d1, made, {}, withPasid))).toBe('100:1>1f0:f>ff8:1b');
  });

  it('C9: with PASID the endpoint is integrated and has no link', () => {
    const parts = { ...device.d1, bytes: { 0x70: u32(0x10110040), 0x8c: u32(0x1e), 0x90: u32(3) } };
    const guest = guestOf(predict(parts, made, {}, withPasid));
    expect([0x60, 0x6c, 0x70, 0x8c, 0x90].map((at) => guest.u32(at))).toEqual([0x00920010, 0, 0, 0, 0]);
    expect(guestOf(predict(parts, made)).u32(0x60)).toBe(0x00020010);
  });

  it('C10: a header in the last 8 bytes refuses the device; a body there does not', () => {
    const at = (offset: number) => ({ ...device.d3, extended: [{ id: 1, offset: 0x100 }, { id: 0x18, offset }] });
    expect(predict(at(0xff8), made, {}, withPasid).outcome).toMatchObject({ kind: 'refused', rule: 'C10' });
    expect(predict(at(0xff4), made, {}, withPasid).outcome.kind).toBe('starts');
  });

  it('C11: linked behind the last kept one in list order', () => {
    expect(extendedOf(predict(device.d6, made, {}, withPasid))).toBe('100:1>400:3>200:d>ff8:1b');
  });

  it('C12: a failure fails the device, and is told', () => {
    const parts = { ...device.d3, extended: [{ id: 1, offset: 0x100 }, { id: 0x18, offset: 0xff8 }] };
    const failing = predict(parts, made, {}, withPasid);
    expect([failing.outcome.kind, failing.space, failing.failureMode]).toEqual(['refused', null, 'refused']);
    expect(failing.findings).toContainEqual(expect.objectContaining({ rule: 'C12', offset: 0xff8 }));
    // QEMU starts without it and says so on stderr.
    const silent = predict(parts, 'qemu-11.0', {}, withPasid);
    expect([silent.outcome.kind, silent.failureMode]).toEqual(['starts', 'silent']);
  });

  it('C13: writes to PASID stay in the VMM', () => {
    const { writeThrough, findings } = predict(device.d1, made, {}, withPasid);
    expect(writeThrough.some(({ offset, length }) => offset < 0x1000 && offset + length > 0xff8)).toBe(false);
    expect(findings).toContainEqual(expect.objectContaining({ rule: 'C13', offset: 0xff8 }));
  });

  it('C14: width 0 makes nothing', () => {
    expect(extendedOf(predict(device.d1, made, {}, { ...linux72, pasid: { ...pasid16, widthBits: 0 } })))
      .toBe('100:1>1f0:f');
  });

  it('C15: no setting moves anything', () => {
    expect(predict(device.d1, made, { settings: { 'x-vpasid-cap-offset': '0x300' } }).outcome.kind).toBe('refused');
    expect(told(predict(device.d1, made, {}, withPasid))).toContain('C15 place-is-fixed');
  });

  it('C16: MSI-X off a page moves to the middle of a BAR twice the size', () => {
    const parts = { standard: [{ id: 0x11, offset: 0x40, body: [...u16(3), ...u32(0x2800), ...u32(0x2c00)] }] };
    const guest = guestOf(predict(parts, made, {}, { ...linux72, barSizesBytes: [0x4000, 0, 0, 0, 0, 0] }));
    expect([guest.u32(0x44), guest.u32(0x48)]).toEqual([0x4000, 0x4400]);
    expect(predict(parts, made).unpredicted).toContainEqual({ offset: 0x44, length: 8, rule: 'C16' });
    const aligned = { standard: [{ id: 0x11, offset: 0x40, body: [...u16(3), ...u32(0x2000), ...u32(0x2c00)] }] };
    expect(guestOf(predict(aligned, made)).u32(0x44)).toBe(0x2000);
  });

  it('C16: MSI-X that the end of the space cuts off stays as it is', () => {
    const parts = { size: 256 as const, standard: [{ id: 0x11, offset: 0xf8, body: [...u16(3), ...u32(0x2800)] }] };
    for (const name of [old, made]) {
      expect(guestOf(predict(parts, name)).u32(0xfc)).toBe(0x2800);
    }
  });

  /** The destination's bytes under what the source's VMM had changed: what a guest finds after a restore. */
  const restored = (source: ConfigSpaceParts, destination: ConfigSpaceParts): string => {
    const from = predict(source, made, {}, withPasid);
    const below = predict(destination, made, {}, withPasid).vfio;
    const bytes = new DataView(below.toBytes().buffer);
    for (const { offset, length, rule } of from.ruled) {
      // Of a header that is linked anew, the pointer alone is patched (C13).
      const mask = rule === 'C7' || rule === 'C11' ? 0xfff00000 : 0xffffffff;
      if (length !== 4) continue;
      bytes.setUint32(offset, ((below.u32(offset) & ~mask) | (guestOf(from).u32(offset) & mask)) >>> 0, true);
    }
    const space = ConfigSpace.from(new Uint8Array(bytes.buffer));
    return space.ok ? walkExtendedCapabilities(space.value, []).map(({ offset, id }) =>
      `${offset.toString(16)}:${id.toString(16)}`).join('>') : '';
  };

  it('C17: the new one restores the patches of the source as they were', () => {
    expect(predict(device.d1, made).migration)
      .toMatchObject({ kind: 'restores-patches', rule: 'C17', confidence: 'V' });
    expect(restored(device.d1, device.d1)).toBe('100:1>1f0:f>ff8:1b');
  });

  it('C18: nothing compares the hardware: on another the list is the source\'s, over other registers', () => {
    const other = { ...device.d1, extended: [{ id: 1, version: 2, offset: 0x100 }, { id: 3, offset: 0x200 }] };
    expect(extendedOf(predict(other, made, {}, withPasid))).toBe('100:1>200:3>ff8:1b');
    expect(restored(device.d1, other)).toBe('100:1>1f0:0>ff8:1b');
  });

  it('C18: the old one forgets what it hid: it reappears', () => {
    const { migration, vfio } = predict(device.d1, old);
    expect(migration).toMatchObject({ kind: 'loses-patches', rule: 'C18', confidence: 'D' });
    expect(walkExtendedCapabilities(vfio, []).map(({ id }) => id)).toEqual([1, 0x0e, 0x10, 0x0f]);
    expect(extendedOf(predict(device.d1, old))).toBe('100:1>150:0>160:0>1f0:f');
  });

  it('C19: what nobody read is said to be unverified', () => {
    expect(predict(device.d1, made, {}, withPasid).findings)
      .toContainEqual(expect.objectContaining({ rule: 'C19', confidence: 'U' }));
  });

  it('a physical PASID beside the made one is not predicted', () => {
    const parts = { ...device.d1, extended: [{ id: 1, offset: 0x100 }, { id: 0x1b, offset: 0x200 }] };
    expect(predict(parts, made, {}, nvidiaKernel)).toMatchObject({
      unpredicted: expect.arrayContaining([{ offset: 0x100, length: 0xf00, rule: 'reading E1' }]) as unknown });
  });
});

describe('the facts of OpenVMM', () => {
  it('O1: the standard list passes through; MSI-X control is the emulator\'s, its table the hardware\'s', () => {
    const parts = { headerType: 0x80, standard: [{ id: 1, offset: 0x50 }, { id: 0x11, offset: 0x40,
      body: [...u16(0xc007), ...u32(0x2000), ...u32(0x3000)] }], bytes: { 0x10: u32(0xfe000004) } };
    const prediction = predict(parts, 'openvmm');
    const guest = guestOf(prediction);
    expect([guest.u8(0x0e), guest.u16(0x42), guest.u32(0x44), guest.u32(0x48), guest.u8(0x51)])
      .toEqual([0, 7, 0x2000, 0x3000, 0x40]);
    expect(standardOf(prediction)).toBe('50:1>40:11');
    expect(prediction.unpredicted).toEqual([{ offset: 0x10, length: 24, rule: 'O1' }, { offset: 0x30, length: 4,
      rule: 'O1' }]);
  });

  it('O2: a hidden header keeps everything but its ID, also without PM', () => {
    expect(extendedOf(predict(device.d4, 'openvmm'))).toBe('100:1>150:0');
  });

  it.each([[0x142, '0x142'], [0x040, '0x40']])('O3: a pointer to %p ends the walk with a warning', (next, says) => {
    // Linux hides nothing here, so the list is the one of the hardware.
    const parts = { ...device.d3, extended: [{ id: 1, offset: 0x100, next }, { id: 0x0e, offset: 0x140 }] };
    const prediction = predict(parts, 'openvmm');
    expect(prediction.findings).toContainEqual(expect.objectContaining({ rule: 'O3',
      says: `the pointer ${says} leads nowhere: a warning` }));
    expect([prediction.outcome.kind, guestOf(prediction).u16(0x140)]).toEqual(['starts', 0x0e]);
  });

  it('O3: and so does its bound of 256 entries, which is said', () => {
    const list = (entries: number) =>
      Array.from({ length: entries }, (_, at) => ({ id: at % 2 === 0 ? 0x03 : 0x0f, offset: 0x100 + 12 * at }));
    expect(told(predict({ ...device.d3, extended: list(256) }, 'openvmm'))).not.toContain('O3 list-cut');
    expect(told(predict({ ...device.d3, extended: list(257) }, 'openvmm'))).toContain('O3 list-cut');
    const loop = { ...device.d3, extended: [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x140, next: 0x100 }] };
    expect(told(predict(loop, 'openvmm'))).toContain('O3 list-cut');
  });

  it('O3: a header of 0 and a pointer of 0 end it without one, 256 steps end any', () => {
    const quiet = (...extended: readonly ExtendedEntry[]) => told(predict({ ...device.d3, extended }, 'openvmm'))
      .filter((one) => one.startsWith('O3'));
    expect([quiet({ id: 1, offset: 0x100 }), quiet()]).toEqual([[], []]);
    const loop = { ...device.d3, extended: [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x140, next: 0x100 }] };
    expect(predict(loop, 'openvmm').outcome.kind).toBe('starts');
  });

  it('O4: no state can be saved, and writes go to the hardware', () => {
    const { migration, writeThrough } = predict(device.d1, 'openvmm', {}, withPasid);
    expect(migration).toMatchObject({ kind: 'refuses-to-save', rule: 'O4', confidence: 'V' });
    expect(writeThrough).toEqual(predict(device.d1, 'qemu-10.0').writeThrough);
    expect(writeThrough.length).toBeGreaterThan(0);
  });

  it('O7: without PASID in the vSMMU it is told that one would be of no use', () => {
    const without = predict(device.d1, 'openvmm', { viommuPasid: false }, withPasid);
    expect(told(without)).toContain('O7 pasid-without-viommu');
    expect(told(predict(device.d1, 'openvmm', {}, withPasid))).not.toContain('O7 pasid-without-viommu');
  });

  it('O5: where PASID goes is not known, and said so', () => {
    const prediction = predict(device.d1, 'openvmm', {}, withPasid);
    expect(prediction.findings).toContainEqual(expect.objectContaining({ rule: 'O5', confidence: 'U' }));
    expect(prediction.unpredicted).toContainEqual({ offset: 0x100, length: 0xf00, rule: 'O5' });
    expect(predict(device.d1, 'openvmm').unpredicted).not.toContainEqual(expect.objectContaining({ rule: 'O5' }));
  });
});

describe('the facts of crosvm', () => {
  it('X1: hidden only with a PCI Express capability, and nothing is made', () => {
    expect(extendedOf(predict(device.d1, 'crosvm', {}, withPasid))).toBe('100:1>1f0:f');
    const pcix: ConfigSpaceParts = { standard: [{ id: 7, offset: 0x40, body: [0, 0x20, ...u32(0x40000000)] }],
      extended: [{ id: 0x10, offset: 0x100 }] };
    expect(guestOf(predict(pcix, 'crosvm')).u32(0x100)).toBe(0x00010010);
  });

  it('X2: the list is sorted; one that loops is collected for ever', () => {
    expect(extendedOf(predict(device.d6, 'crosvm'))).toBe('100:1>200:d>400:3');
    const loop = { ...device.d3, extended: [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x140, next: 0x100 }] };
    expect(predict(loop, 'crosvm').outcome).toMatchObject({ kind: 'hangs', rule: 'X2', confidence: 'D' });
  });

  it('X3: everything up to the next start reads 0', () => {
    const parts = { ...device.d1, bytes: { 0x1e0: [1, 2, 3] } };
    expect(guestOf(predict(parts, 'crosvm')).nonZeroFrom(0x150, 0x1f0)).toBe(0x1f0);
    const { writeThrough } = predict(parts, 'crosvm');
    expect(writeThrough.some(({ offset, length }) => offset < 0x1f0 && offset + length > 0x150)).toBe(false);
    expect(writeThrough).toContainEqual(expect.objectContaining({ offset: 0x1f8, length: 0xe08 }));
  });

  it('X4: a hidden head reads ID 0x000c', () => {
    expect(guestOf(predict(device.d2, 'crosvm')).u32(0x100)).toBe(0x1400000c);
    const only = { ...device.d3, extended: [{ id: 0x10, offset: 0x100 }] };
    expect(guestOf(predict(only, 'crosvm')).u32(0x100)).toBe(0x0000000c);
  });

  it('X5: I/O BARs and byte 0x51 of Intel graphics read 0, PM is an emulated copy', () => {
    const parts = { vendorId: 0x8086, classCode: 0x030000, standard: [{ id: 1, offset: 0xd0 }, express()],
      bytes: { 0x10: u32(0xe001), 0x14: u32(0xfe00000c), 0x18: u32(0x00000001), 0x51: [0x77] } };
    const prediction = predict(parts, 'crosvm');
    expect([guestOf(prediction).u32(0x10), guestOf(prediction).u8(0x51)]).toEqual([0, 0]);
    // The upper half of a BAR above 4 GiB looks like I/O ports, and is none.
    expect([guestOf(prediction).u32(0x14), guestOf(prediction).u32(0x18)]).toEqual([0xfe00000c, 1]);
    expect(prediction.unpredicted).toContainEqual({ offset: 0xd2, length: 6, rule: 'X5' });
  });
});

describe('the facts of libvfio-user', () => {
  const takes = (parts: ConfigSpaceParts) => predict(parts, 'libvfio-user').outcome;
  const head = { id: 3, offset: 0x100 };

  it('L1: DSN and VNDR are taken, others are not', () => {
    expect(takes({ standard: [express()], extended: [head] }).kind).toBe('starts');
    expect(takes({ standard: [express()], extended: [{ id: 0x1b, offset: 0x100 }] })).toMatchObject({ rule: 'L1' });
    expect(takes({ standard: [{ id: 3, offset: 0x40 }] })).toMatchObject({ kind: 'refused', rule: 'L1' });
  });

  it('L2: nothing is below 0x40, the first extended one is at 0x100, and none lies over another', () => {
    const elsewhere = { standard: [express()], extended: [{ id: 3, offset: 0x140 }] };
    expect(takes(elsewhere)).toMatchObject({ kind: 'refused', rule: 'L2' });
    expect(takes({ standard: [{ id: 1, offset: 0x40, next: 0x3c }] })).toMatchObject({ kind: 'refused', rule: 'L2',
      says: 'nothing can be at 0x3c' });
    const over = { standard: [{ id: 9, offset: 0x40, body: [0x20] }, { id: 1, offset: 0x50 }] };
    expect(takes(over)).toMatchObject({ kind: 'refused', rule: 'L2', says: 'it lies over the one at 0x40' });
  });

  it('L3: automatic places may touch, where explicit ones may not', () => {
    const parts = { standard: [express()], extended: [{ id: 3, offset: 0x100 },
      { id: 0x0b, offset: 0x10c, body: u32(0x01000000) }] };
    expect(told(predict(parts, 'libvfio-user'))).toContain('L3 automatic-place');
    const apart = [{ id: 3, offset: 0x100 }, { id: 0x0b, offset: 0x110, body: u32(0x01000000) }];
    expect(told(predict({ ...parts, extended: apart }, 'libvfio-user'))).not.toContain('L3 automatic-place');
  });

  it('L4: touching is intersecting where the place is explicit', () => {
    const vendor = (offset: number) => ({ standard: [express()], extended: [head,
      { id: 0x0b, offset, body: u32(0x01000000) }] });
    expect(takes(vendor(0x10c))).toMatchObject({ kind: 'refused', rule: 'L4' });
    expect(takes(vendor(0x110)).kind).toBe('starts');
  });

  it('L5: the last byte of the space cannot be used', () => {
    const vendor = (length: number) => ({ standard: [express()], extended: [head,
      { id: 0x0b, offset: 0xf00, body: u32(length << 20) }] });
    expect(takes(vendor(0x100))).toMatchObject({ kind: 'refused', rule: 'L5' });
    expect(takes(vendor(0x0fc)).kind).toBe('starts');
  });
});
