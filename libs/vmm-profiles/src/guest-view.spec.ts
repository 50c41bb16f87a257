import { buildConfigSpace } from '@cadastre/config-space/testing';
import { ConfigSpace } from '@cadastre/config-space';
import { device, linux72, pinned, predict, withPasid } from './testing.js';
import { vmmProfiles } from './vmm-profiles.js';

describe('the place of PASID that nobody named', () => {
  const told = (...given: Parameters<typeof predict>): unknown =>
    predict(...given).findings.filter(({ kind }) => kind === 'implicit-offset')
      .map(({ rule, offset }) => [rule, offset]);

  it('is told once, whether PASID is made or not', () => {
    for (const host of [withPasid, linux72]) {
      expect(told(device.d1, 'qemu-11.0', {}, host)).toEqual([['Q15', 0xff8]]);
      expect(told(device.d1, 'cloud-hypervisor-new', {}, host)).toEqual([['C8', 0xff8]]);
      expect(told(device.d1, 'qemu-11.1', { viommuPasid: false }, host)).toEqual([['Q15', 0xff8]]);
      expect(told(device.d3, 'qemu-11.1', {}, host)).toEqual([['Q15', 0xff8]]);
    }
    expect(told(device.d1, 'qemu-11.0', { settings: { 'x-vpasid-cap-offset': '0' } })).toEqual([['Q15', 0xff8]]);
  });

  it('is no matter where one was named, or where none is made', () => {
    expect(told(device.d1, 'qemu-11.0', pinned('0x300'), withPasid)).toEqual([]);
    for (const name of ['qemu-10.0', 'crosvm', 'cloud-hypervisor-old', 'generic']) {
      expect(told(device.d1, name, {}, withPasid)).toEqual([]);
    }
  });
});

describe('what is said of the host', () => {
  it.each([
    ['6.8', 'D', /^nobody looked at Linux 6\.8: linux-vfio-.*\/1 is taken, derived from releases around it$/],
    ['6.12', 'V', /^nobody looked at Linux 6\.12: .* as its source says$/],
    ['5.4', 'U', /^nobody looked at Linux 5\.4: .* the nearest that is known$/],
  ])('names the facts that stand for Linux %s', (release, confidence, says) => {
    const kernel = { release, flavour: 'upstream' } as const;
    const { findings } = predict(device.d1, 'qemu-11.0', {}, { kernel, pasid: null });
    expect(findings.find(({ kind }) => kind === 'vfio-kernel-not-observed'))
      .toMatchObject({ confidence, says: expect.stringMatching(says) as unknown });
  });

  it('does not take a function that is gone for a header type of 127', () => {
    const gone = ConfigSpace.from(new Uint8Array(4096).fill(0xff));
    if (!gone.ok) throw new Error('4096 bytes');
    const { outcome, findings } = predict(gone.value, 'qemu-11.0');
    expect(outcome).toMatchObject({ kind: 'refused', says: expect.stringContaining('does not answer') as unknown });
    expect(findings.filter(({ says }) => says.includes('127'))).toEqual([]);
  });
});

describe('what a profile says that it hides', () => {
  const ids = [0x01, 0x02, 0x03, 0x0b, 0x0d, 0x0e, 0x0f, 0x10, 0x13, 0x15, 0x18];
  /** One of each that the kernel shows. */
  const all = buildConfigSpace({ ...device.d3, extended: [{ id: 0x01, version: 2, offset: 0x100 },
    ...ids.slice(1).map((id, index) => ({ id, offset: 0x180 + 0x80 * index,
      body: id === 0x0b ? [0, 0, 0, 0x01] : id === 0x15 ? [0xf0, 0xff, 0, 0, 0x20, 8, 0, 0] : [] }))] });

  it.each(vmmProfiles.filter(({ reads }) => reads === 'vfio-pci').map((one) => [one.name, one] as const))(
    '%s does hide, and nothing else', (name, { hides }) => {
      const { chain, vfio } = predict(all, name);
      const shown = chain.extended.map(({ id }) => id);
      expect(ids.every((id) => Array.from({ length: 0xf00 / 4 }, (_, at) => vfio.u16(0x100 + 4 * at)).includes(id)))
        .toBe(true);
      expect(ids.filter((id) => !shown.includes(id))).toEqual(ids.filter((id) => hides.ids.includes(id)));
    });
});
