import { buildConfigSpace } from '@cadastre/config-space/testing';
import { explanationsMax, identify } from './identify.js';
import { device, guestOf, linux72, pinned, predict, withPasid } from './testing.js';

const physical = buildConfigSpace(device.d1);

describe('what explains a guest', () => {
  it.each([
    ['cloud-hypervisor-old', 'qemu-7.2'], ['cloud-hypervisor-new', 'qemu-10.0'], ['crosvm', 'qemu-10.0'],
  ])('%s, and not %s', (name, other) => {
    const found = identify(physical, guestOf(predict(device.d1, name, {}, withPasid)));
    const best = found.filter(({ differingBytes }) => differingBytes === 0).map(({ profile }) => profile);
    expect(best).toContain(name);
    expect(best).not.toContain(other);
  });

  it('two VMMs where both show the same: a made PASID on QEMU\'s root bus is that of Cloud Hypervisor', () => {
    const found = identify(physical, guestOf(predict(device.d1, 'cloud-hypervisor-new', {}, withPasid)));
    expect(found.filter(({ differingBytes }) => differingBytes === 0).map(({ profile, port }) => [profile, port]))
      .toEqual([['qemu-11.0', 'root-bus'], ['qemu-11.1', 'root-bus'], ['cloud-hypervisor-new', 'root-port']]);
  });

  it('QEMU with an offset of PASID, from what the guest shows', () => {
    const [best] = identify(physical, guestOf(predict(device.d1, 'qemu-11.0', pinned('0x300'), withPasid)));
    expect(best).toMatchObject({ differingBytes: 0, differing: [], port: 'root-port', pasid: withPasid.pasid,
      settings: { 'x-vpasid-cap-offset': '0x300' } });
    expect(best?.profile).toMatch(/^qemu-11/);
  });

  it('QEMU on the root bus with other IDs and without ATS', () => {
    const settings = { 'x-pci-device-id': '0x5678', 'ats': 'off' };
    const [best] = identify(physical, guestOf(predict(device.d1, 'qemu-11.1', { port: 'root-bus', settings })));
    expect(best).toMatchObject({ profile: 'qemu-11.1', port: 'root-bus', settings, differingBytes: 0 });
  });

  it('the kernel, where it shows', () => {
    const parts = { ...device.d1, extended: [{ id: 1, offset: 0x100 }, { id: 0x23, offset: 0x200,
      body: [0, 0, 0x80, 0x01] }] };
    const on61 = { ...linux72, kernel: { release: '6.1', flavour: 'upstream' } as const };
    const [best] = identify(buildConfigSpace(parts), guestOf(predict(parts, 'qemu-7.2', {}, on61)));
    expect(best).toMatchObject({ kernels: ['6.1 upstream'], differingBytes: 0 });
  });

  it('the clique of a GPU', () => {
    const gpu = { ...device.d1, vendorId: 0x10de, classCode: 0x030200 };
    const guest = guestOf(predict(gpu, 'qemu-11.0', { settings: { 'x-nv-gpudirect-clique': '7' } }));
    expect(identify(buildConfigSpace(gpu), guest)[0]).toMatchObject({ differingBytes: 0,
      settings: { 'x-nv-gpudirect-clique': '7' } });
  });

  it('nothing: then the nearest are told, with the bytes that differ', () => {
    const guest = buildConfigSpace({ ...device.d1, bytes: { 0x180: [1, 2], 0x184: [3] } });
    const found = identify(physical, guest);
    expect(found.length).toBeLessThanOrEqual(explanationsMax);
    expect(found[0]?.differing).toContainEqual({ offset: 0x180, length: 2 });
    expect(found[0]?.differing).toContainEqual({ offset: 0x184, length: 1 });
  });
});
