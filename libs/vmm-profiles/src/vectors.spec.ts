import { type ConfigSpace } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { device, dwordsThatDiffer, extendedOf, guestOf, nvidiaKernel, pinned, predict, standardOf, told,
  withPasid } from './testing.js';
import { vmmProfiles } from './vmm-profiles.js';

/** Every DWORD from 0x40 up that the VMM changes. */
function changed(physical: ConfigSpace, guest: ConfigSpace): readonly string[] {
  return dwordsThatDiffer(physical, guest).filter((one) => parseInt(one, 16) >= 0x40);
}
const rcEndpoint = ['60:00920010', '6c:00000000'];
const pasidBody = ['ffc:00001006'];

describe('the vectors', () => {
  it('S1: ARI and SR-IOV in mid-list, and where PASID goes', () => {
    const physical = buildConfigSpace(device.d1);
    const expected: Readonly<Record<string, readonly [list: string, changes: readonly string[]]>> = {
      'qemu-7.2': ['100:1>1f0:f', ['100:1f020001']],
      'qemu-10.0': ['100:1>1f0:f', ['100:1f020001']],
      'qemu-11.0': ['100:1>1f0:f>ff8:1b', ['100:1f020001', '1f0:ff81000f', 'ff8:0001001b', ...pasidBody]],
      'qemu-11.1': ['100:1>1f0:f>ff8:1b', ['100:1f020001', '1f0:ff81000f', 'ff8:0001001b', ...pasidBody]],
      'cloud-hypervisor-old': ['100:1>150:0>160:0>1f0:f', ['150:16010000', '160:1f010000']],
      'cloud-hypervisor-new': ['100:1>1f0:f>ff8:1b',
        [...rcEndpoint, '100:1f020001', '1f0:ff81000f', 'ff8:0001001b', ...pasidBody]],
      'openvmm': ['100:1>150:0>160:0>1f0:f', ['150:16010000', '160:1f010000']],
      'crosvm': ['100:1>1f0:f', ['100:1f020001', '150:00000000', '160:00000000']],
    };
    for (const [name, [list, changes]] of Object.entries(expected)) {
      const prediction = predict(device.d1, name, {}, withPasid);
      expect([name, extendedOf(prediction)]).toEqual([name, list]);
      expect([name, changed(physical, guestOf(prediction))]).toEqual([name, changes]);
    }
    expect(guestOf(predict(device.d1, 'generic')).equals(physical)).toBe(true);
    expect(predict(device.d1, 'libvfio-user').outcome).toMatchObject({ kind: 'refused', rule: 'L1' });
  });

  it('S2: SR-IOV at the head', () => {
    const head = (name: string): string => guestOf(predict(device.d2, name)).u32(0x100).toString(16).padStart(8, '0');
    expect(vmmProfiles.filter(({ reads }) => reads === 'vfio-pci').map(({ name }) => [name, head(name)])).toEqual([
      ['qemu-7.2', '14000000'], ['qemu-10.0', '14000000'], ['qemu-11.0', '14000000'], ['qemu-11.1', '14000000'],
      ['cloud-hypervisor-old', '14010000'], ['cloud-hypervisor-new', '14000000'], ['openvmm', '14010000'],
      ['crosvm', '1400000c'],
    ]);
    expect(guestOf(predict(device.d2, 'crosvm')).u32(0x104)).toBe(0);
    expect(guestOf(predict(device.d2, 'qemu-11.0')).u32(0x104)).toBe(0x04030201);
  });

  it('S3: no extended list: QEMU makes no PASID, new Cloud Hypervisor does', () => {
    const qemu = predict(device.d3, 'qemu-11.0', {}, withPasid);
    expect([guestOf(qemu).u32(0x100), guestOf(qemu).u32(0xff8), told(qemu)]).toEqual([0, 0, ['Q9 pasid-not-made']]);
    const cloud = predict(device.d3, 'cloud-hypervisor-new', {}, withPasid);
    expect([guestOf(cloud).u32(0x100), guestOf(cloud).u32(0xff8)]).toEqual([0xff800000, 0x0001001b]);
    expect(cloud.findings).toContainEqual(expect.objectContaining({ kind: 'list-begun', confidence: 'D' }));
  });

  it('S4: without PM Cloud Hypervisor hides nothing and makes nothing; QEMU does not mind', () => {
    expect(extendedOf(predict(device.d4, 'qemu-11.0', {}, withPasid))).toBe('100:1>ff8:1b');
    for (const name of ['cloud-hypervisor-old', 'cloud-hypervisor-new']) {
      expect(extendedOf(predict(device.d4, name, {}, withPasid))).toBe('100:1>150:e');
    }
  });

  it('S5: a body over the end of the space: accepted, and corrupt', () => {
    for (const name of ['qemu-11.0', 'cloud-hypervisor-new']) {
      const prediction = predict(device.d5, name, {}, withPasid);
      expect(extendedOf(prediction)).toBe('100:1>fc0:b>ff8:1b');
      expect(prediction.findings.map(({ kind }) => kind)).toContain('registers-covered');
      expect(changed(buildConfigSpace(device.d5), guestOf(prediction)).slice(-3)).toEqual(
        ['fc0:ff81000b', 'ff8:0001001b', 'ffc:00001006']);
    }
  });

  it('S6: a list that goes backwards', () => {
    expect(extendedOf(predict(device.d6, 'qemu-11.0', pinned('0x300'), withPasid)))
      .toBe('100:1>300:1b>400:3>200:d');
    expect(extendedOf(predict(device.d6, 'cloud-hypervisor-new', {}, withPasid))).toBe('100:1>400:3>200:d>ff8:1b');
    expect(extendedOf(predict(device.d6, 'crosvm'))).toBe('100:1>200:d>400:3');
    expect(extendedOf(predict(device.d6, 'qemu-11.0'))).toBe('100:1>400:3>200:d');
    expect(told(predict(device.d6, 'qemu-11.0'))).toEqual(['chain guest-list-goes-backwards']);
  });

  it.each(['0x102', '0xffc', '0x1000', '0x100', '0x1f0', '0xfc'])(
    'S7: x-vpasid-cap-offset=%s: QEMU starts without PASID', (offset) => {
      const prediction = predict(device.d1, 'qemu-11.0', pinned(offset), withPasid);
      expect(extendedOf(prediction)).toBe('100:1>1f0:f');
      expect(told(prediction)).toEqual(expect.arrayContaining(['Q16 pasid-refused', 'Q21 pasid-not-made']));
      expect(guestOf(prediction).equals(guestOf(predict(device.d1, 'qemu-11.0')))).toBe(true);
    });

  it('S8: the clique capability', () => {
    const gpu = (offset: number) => ({ vendorId: 0x10de, classCode: 0x030000, standard: [
      ...device.d1.standard, { id: 0x11, offset, body: [] }] });
    const show = (offset: number, name: string, setting: string): string =>
      standardOf(predict(gpu(offset), name, { settings: { [setting]: '5' } }));
    const qemu = 'x-nv-gpudirect-clique';
    expect(show(0xc8, 'qemu-11.0', qemu)).toBe('40:1>60:10>c8:11>d4:9');
    expect(show(0xb0, 'qemu-11.0', qemu)).toBe('40:1>60:10>b0:11>c8:9');
    const cloud = 'x_nv_gpudirect_clique';
    expect(show(0xc8, 'cloud-hypervisor-new', cloud)).toBe('40:1>60:10>c8:11>d4:9');
    expect(show(0xb0, 'cloud-hypervisor-new', cloud)).toBe('40:1>60:10>b0:11>d4:9');
    const space = guestOf(predict(gpu(0xb0), 'cloud-hypervisor-new', { settings: { [cloud]: '5' } }));
    expect([space.u32(0xd4), space.u32(0xd8)]).toEqual([0x50080009, 0x00285032]);
    const bytes = guestOf(predict(gpu(0xb0), 'qemu-11.0', { settings: { [qemu]: '5' } })).toBytes();
    expect([...bytes.subarray(0xc8, 0xd0)]).toEqual([0x09, 0, 0x08, 0x50, 0x32, 0x50, 0x28, 0]);
  });

  it('S9: with the physical PASID shown nothing is made; the same flags, another guest', () => {
    const parts = { ...device.d1, extended: [...device.d1.extended,
      { id: 0x1b, offset: 0x2d0, body: [0x06, 0x14, 0, 0] }] };
    expect(extendedOf(predict(parts, 'qemu-11.0', {}, nvidiaKernel))).toBe('100:1>1f0:f>2d0:1b');
    expect(extendedOf(predict(parts, 'qemu-11.0', {}, withPasid))).toBe('100:1>1f0:f>ff8:1b');
    const { space } = predict(parts, 'qemu-11.0', {}, nvidiaKernel);
    expect(space?.u32(0x2d4)).toBe(0x1406);
  });

  it('S10: a broken list is told before any firmware meets it', () => {
    const loop = { standard: device.d1.standard, extended: [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x150,
      next: 0x100 }] };
    expect(predict(loop, 'qemu-11.1').outcome).toMatchObject({ kind: 'hangs', rule: 'observed 16' });
    expect(told(predict(loop, 'openvmm'))).toContain('chain guest-capability-list-loops');
  });
});
