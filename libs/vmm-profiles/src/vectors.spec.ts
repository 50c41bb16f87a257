import { buildConfigSpace, type ConfigSpaceParts, u32 } from '@cadastre/config-space/testing';
import { type Knobs } from './knobs.js';
import { device, dwordsThatDiffer, extendedOf, linux72, nvidiaKernel, pinned, predict, standardOf, told,
  withPasid } from './testing.js';
import { vmmProfiles } from './vmm-profiles.js';

/** What becomes of a function by profile: every DWORD that is not the hardware's, or the end of the device. */
type Expected = Readonly<Record<string, readonly string[] | 'refused' | 'hangs'>>;

/** Compares all 4096 bytes: those of the hardware with the DWORDs of the table over them. */
function expectBytes(parts: ConfigSpaceParts, expected: Expected, knobs: Knobs = {}, host = withPasid): void {
  const physical = buildConfigSpace(parts);
  for (const [name, changes] of Object.entries(expected)) {
    const { space, outcome } = predict(parts, name, knobs, host);
    const seen = space === null ? outcome.kind : dwordsThatDiffer(physical, space);
    expect([name, seen, space?.size ?? physical.size]).toEqual([name, changes, physical.size]);
  }
}

const integrated = ['60:00920010', '6c:00000000'];
const pasid = ['ff8:0001001b', 'ffc:00001006'];
/** Those of 7.2 and 10.0, and those of 11.0 and 11.1. */
const qemu = (before: readonly string[], since: readonly string[]): Expected =>
  ({ 'qemu-7.2': before, 'qemu-10.0': before, 'qemu-11.0': since, 'qemu-11.1': since });
const all = Object.fromEntries(vmmProfiles.map(({ name }) => [name, [] as readonly string[]]));

describe('the vectors', () => {
  it('S1: ARI and SR-IOV in mid-list, and where PASID goes', () => {
    expectBytes(device.d1, {
      ...qemu(['100:1f020001'], ['100:1f020001', '1f0:ff81000f', ...pasid]),
      'cloud-hypervisor-old': ['150:16010000', '160:1f010000'],
      'cloud-hypervisor-new': [...integrated, '100:1f020001', '1f0:ff81000f', ...pasid],
      'openvmm': ['150:16010000', '160:1f010000'],
      'crosvm': ['100:1f020001', '150:00000000', '160:00000000'],
      'libvfio-user': 'refused', 'generic': [],
    });
    const lists = ['qemu-10.0', 'qemu-11.0', 'cloud-hypervisor-old', 'cloud-hypervisor-new', 'openvmm', 'crosvm']
      .map((name) => extendedOf(predict(device.d1, name, {}, withPasid)));
    expect(lists).toEqual(['100:1>1f0:f', '100:1>1f0:f>ff8:1b', '100:1>150:0>160:0>1f0:f', '100:1>1f0:f>ff8:1b',
      '100:1>150:0>160:0>1f0:f', '100:1>1f0:f']);
  });

  it('S2: SR-IOV at the head', () => {
    expectBytes(device.d2, {
      ...qemu(['100:14000000'], ['100:14000000', '140:ff810003', ...pasid]),
      'cloud-hypervisor-old': ['100:14010000'],
      'cloud-hypervisor-new': [...integrated, '100:14000000', '140:ff810003', ...pasid],
      'openvmm': ['100:14010000'], 'crosvm': ['100:1400000c', '104:00000000'],
      'libvfio-user': 'refused', 'generic': [],
    });
  });

  it('S3: no extended list: QEMU makes no PASID, new Cloud Hypervisor does', () => {
    expectBytes(device.d3, { ...all, 'cloud-hypervisor-new': [...integrated, '100:ff800000', ...pasid] });
    expect(told(predict(device.d3, 'qemu-11.0', {}, withPasid))).toEqual(['Q9 pasid-not-made', 'Q15 implicit-offset']);
    expect(predict(device.d3, 'cloud-hypervisor-new', {}, withPasid).findings)
      .toContainEqual(expect.objectContaining({ kind: 'list-begun', confidence: 'D' }));
  });

  it('S4: without PM Cloud Hypervisor hides nothing and makes nothing; the others do not mind', () => {
    expectBytes(device.d4, {
      ...all, ...qemu(['100:00020001'], ['100:ff820001', ...pasid]),
      'openvmm': ['150:00010000'], 'crosvm': ['100:00020001', '150:00000000'], 'libvfio-user': 'refused',
    });
  });

  it('S5: a body over the end of the space: accepted, and corrupt', () => {
    const corrupt = ['fc0:ff81000b', ...pasid];
    expectBytes(device.d5, { ...all, ...qemu([], corrupt), 'cloud-hypervisor-new': [...integrated, ...corrupt],
      'libvfio-user': 'refused' });
    for (const name of ['qemu-11.0', 'cloud-hypervisor-new']) {
      expect(told(predict(device.d5, name, {}, withPasid)).join()).toContain('registers-covered');
    }
  });

  it('S6: a list that goes backwards', () => {
    const atTheEnd = ['200:ff81000d', ...pasid];
    expectBytes(device.d6, {
      ...all, ...qemu([], atTheEnd), 'cloud-hypervisor-new': [...integrated, ...atTheEnd],
      'crosvm': ['100:20020001', '200:4001000d', '400:00010003'], 'libvfio-user': 'refused',
    });
    expectBytes(device.d6, { 'qemu-11.0': ['100:30020001', '300:4001001b', '304:00001006'] }, pinned('0x300'));
    expect(extendedOf(predict(device.d6, 'crosvm'))).toBe('100:1>200:d>400:3');
    expect(told(predict(device.d6, 'qemu-11.0'))).toEqual(['Q15 implicit-offset', 'chain guest-list-goes-backwards']);
  });

  it.each(['0x102', '0xffc', '0x1000', '0x100', '0x1f0', '0xfc'])(
    'S7: x-vpasid-cap-offset=%s: QEMU starts without PASID', (offset) => {
      const prediction = predict(device.d1, 'qemu-11.0', pinned(offset), withPasid);
      expect(extendedOf(prediction)).toBe('100:1>1f0:f');
      expect(told(prediction)).toEqual(expect.arrayContaining(['Q16 pasid-refused', 'Q21 pasid-not-made']));
      expectBytes(device.d1, { 'qemu-11.0': ['100:1f020001'] }, pinned(offset));
    });

  it('S8: the clique capability', () => {
    const gpu = (offset: number) => ({ vendorId: 0x10de, classCode: 0x030000, bytes: { 0x10: u32(0xfe000000) },
      standard: [...device.d1.standard, { id: 0x11, offset, body: [0, 0, 0, 0, 0, 0, ...u32(0x1000)] }] });
    const show = (offset: number, name: string, setting: string): string =>
      standardOf(predict(gpu(offset), name, { settings: { [setting]: '5' } }));
    const qemu = 'x-nv-gpudirect-clique';
    expect(show(0xc8, 'qemu-11.0', qemu)).toBe('40:1>60:10>c8:11>d4:9');
    expect(show(0xb0, 'qemu-11.0', qemu)).toBe('40:1>60:10>b0:11>c8:9');
    const cloud = 'x_nv_gpudirect_clique';
    expect(show(0xc8, 'cloud-hypervisor-new', cloud)).toBe('40:1>60:10>c8:11>d4:9');
    expect(show(0xb0, 'cloud-hypervisor-new', cloud)).toBe('40:1>60:10>b0:11>d4:9');
    const made = (before: string, at: number): readonly string[] => [before, `${at.toString(16)}:50080009`,
      `${(at + 4).toString(16)}:00285032`];
    const shown = (offset: number, changes: Readonly<Record<string, readonly string[]>>): void => {
      for (const [name, before] of Object.entries(changes)) {
        const isCloud = name.startsWith('cloud');
        // QEMU starts with BARs unprogrammed; the bytes of Cloud Hypervisor's own BARs are not predicted.
        expectBytes(gpu(offset), { [name]: isCloud ? before : ['10:00000000', ...before] },
          { settings: { [isCloud ? cloud : qemu]: '5' } }, linux72);
      }
    };
    const [first, second] = [made('b0:0000c811', 0xc8), made('c8:0000d411', 0xd4)];
    shown(0xc8, { 'qemu-10.0': second, 'qemu-11.0': second, 'qemu-11.1': second, 'cloud-hypervisor-old': second,
      'cloud-hypervisor-new': second });
    const cloudsOnly = made('b0:0000d411', 0xd4);
    shown(0xb0, { 'qemu-7.2': first, 'qemu-11.0': first, 'cloud-hypervisor-old': cloudsOnly,
      'cloud-hypervisor-new': cloudsOnly });
    expectBytes(gpu(0xc8), { 'qemu-7.2': 'refused' }, { settings: { [qemu]: '5' } });
  });

  it('S9: with the physical PASID shown nothing is made; the same flags, another guest', () => {
    const parts = { ...device.d1, extended: [...device.d1.extended,
      { id: 0x1b, offset: 0x2d0, body: [0x06, 0x14, 0, 0] }] };
    expect(extendedOf(predict(parts, 'qemu-11.0', {}, nvidiaKernel))).toBe('100:1>1f0:f>2d0:1b');
    expectBytes(parts, { 'qemu-11.0': ['100:1f020001'] }, {}, nvidiaKernel);
    expectBytes(parts, { 'qemu-11.0': ['100:1f020001', '1f0:ff81000f', ...pasid] });
  });

  it('S10: a broken list is told before any firmware meets it', () => {
    const loop = { standard: device.d1.standard, extended: [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x150,
      next: 0x100 }] };
    expectBytes(loop, { ...Object.fromEntries(vmmProfiles.map(({ name }) => [name, 'hangs' as const])),
      'openvmm': [], 'generic': [], 'libvfio-user': 'refused' });
    expect(predict(loop, 'qemu-11.1').outcome).toMatchObject({ kind: 'hangs', rule: 'observed 16' });
    for (const name of ['openvmm', 'generic']) {
      expect(told(predict(loop, name))).toContain('chain guest-capability-list-loops');
    }
  });
});
