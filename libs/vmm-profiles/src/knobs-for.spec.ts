import { ok } from '@cadastre/config-space';
import { type KnobsAnswer, knobsFor, type WantedPlacement } from './knobs-for.js';
import { extendedOf, predict, device, withPasid } from './testing.js';
import { vmmAbilities } from './vmm-abilities.js';
import { type VmmProfile } from './vmm-profile.js';
import { profileNamed, vmmProfiles } from './vmm-profiles.js';

const extended = (id: number, name: string, offset: number, length: number): WantedPlacement =>
  ({ space: 'extended', id, name, offset, length, value: null });
const pasidAt = (offset: number): WantedPlacement => extended(0x1b, 'PASID', offset, 8);
const cliqueAt = (offset: number): WantedPlacement =>
  ({ space: 'standard', id: 9, name: 'nvidia-clique', offset, length: 8, value: 5 });
const shadow: WantedPlacement =
  { space: 'standard', id: 9, name: 'vmd-shadow', offset: 0xe8, length: 24, value: null };
function profile(name: string): VmmProfile {
  const found = profileNamed(name);
  if (!found.ok) throw new Error(name);
  return found.value;
}
const answer = (name: string, ...wanted: readonly WantedPlacement[]): KnobsAnswer =>
  knobsFor(wanted, profile(name), { hostBdf: '0000:3b:00.1', device: 'nic0', bus: 'rp1' });
const textOf = (name: string, kind: string, wanted = pasidAt(0x300)): string =>
  answer(name, wanted).configuration.find((one) => one.kind === kind)?.text ?? '';

describe('what to set', () => {
  it('Q25: QEMU gets the offset, iommufd and a vSMMU with PASID', () => {
    expect(answer('qemu-11.0', pasidAt(0x300))).toMatchObject({
      verdict: 'obeys-with-knob', settings: { 'x-vpasid-cap-offset': '0x300' }, unmet: [] });
    expect(textOf('qemu-11.0', 'qemu-arguments')).toBe('-object iommufd,id=iommufd0 '
      + '-device arm-smmuv3,primary-bus=pcie.0,id=smmu0,accel=on,ssidsize=16 '
      + '-device vfio-pci,id=nic0,host=0000:3b:00.1,bus=rp1,iommufd=iommufd0,x-vpasid-cap-offset=0x300');
    expect(JSON.parse(textOf('qemu-11.0', 'qmp'))).toEqual({ execute: 'device_add', arguments: {
      'driver': 'vfio-pci', 'id': 'nic0', 'host': '0000:3b:00.1', 'bus': 'rp1', 'iommufd': 'iommufd0',
      'x-vpasid-cap-offset': 0x300 } });
    expect(textOf('qemu-11.0', 'libvirt-xml')).toContain(
      '<qemu:arg value=\'vfio-pci,id=nic0,host=0000:3b:00.1,bus=rp1,iommufd=iommufd0,x-vpasid-cap-offset=0x300\'/>');
    expect(answer('qemu-11.0', pasidAt(0x300)).configuration.map(({ kind, taint }) => [kind, taint !== null])).toEqual(
      [['qemu-arguments', true], ['qmp', false], ['libvirt-xml', true]]);
  });

  it('a setting that is obeyed is what the prediction shows', () => {
    const { settings } = answer('qemu-11.1', pasidAt(0x300));
    expect(extendedOf(predict(device.d1, 'qemu-11.1', { settings }, withPasid))).toBe('100:1>1f0:f>300:1b');
  });

  it('Cloud Hypervisor obeys at 0xff8 and nowhere else, and says what the guest would see', () => {
    expect(answer('cloud-hypervisor-new', pasidAt(0xff8))).toMatchObject({ verdict: 'exact', settings: {} });
    expect(answer('cloud-hypervisor-new', pasidAt(0x300))).toMatchObject({ verdict: 'cannot-obey',
      unmet: [{ kind: 'end-of-space-only', rule: 'C8', insteadOffset: 0xff8 }] });
    expect(textOf('cloud-hypervisor-new', 'cloud-hypervisor-arguments'))
      .toBe('--platform iommufd=on --device path=/sys/bus/pci/devices/0000:3b:00.1/,id=nic0,iommu=on');
  });

  it('O6: OpenVMM needs pasid on the port', () => {
    expect(textOf('openvmm', 'openvmm-arguments'))
      .toBe('--pcie-root-port rc0:rp1,pasid --vfio host=0000:3b:00.1,port=rp1,iommu=iommufd0');
  });

  it('O7: OpenVMM needs a vSMMU that advertises it, and its place is not known', () => {
    expect(answer('openvmm', pasidAt(0x300))).toMatchObject({ verdict: 'cannot-obey',
      unmet: [{ kind: 'place-not-known', confidence: 'U', insteadOffset: null }],
      needs: expect.arrayContaining(['a vSMMU that advertises it (O7)']) as unknown });
  });

  it.each(['qemu-7.2', 'qemu-10.0', 'cloud-hypervisor-old', 'crosvm', 'libvfio-user'])('%s makes none', (name) => {
    expect(answer(name, pasidAt(0xff8))).toMatchObject({ verdict: 'cannot-obey', unmet: [{ kind: 'never-made' }] });
  });

  it.each([0x102, 0xfc, 0xffc, 0x1000])('an offset of %p is refused before QEMU does', (offset) => {
    expect(answer('qemu-11.0', pasidAt(offset))).toMatchObject({ verdict: 'cannot-obey', settings: {},
      unmet: [{ kind: 'offset-refused', rule: 'Q16' }] });
  });

  it('no VMM but the generic one makes PRI, or PASID twice', () => {
    for (const { name } of vmmProfiles.filter(({ pasid }) => pasid.kind !== 'document')) {
      expect(answer(name, extended(0x13, 'PRI', 0x300, 16)).verdict).toBe('cannot-obey');
      expect(answer(name, pasidAt(0xff8), pasidAt(0xff8)).verdict).toBe('cannot-obey');
      expect(answer(name, extended(0x10, 'SRIOV', 0x300, 64)).unmet).toHaveLength(1);
    }
    expect(answer('generic', pasidAt(0x300), extended(0x13, 'PRI', 0x308, 16))).toMatchObject({
      verdict: 'exact', configuration: [] });
  });

  it('Q7: the clique has a setting, C8 and, where a capability starts there, D4', () => {
    expect(answer('qemu-11.0', cliqueAt(0xc8), pasidAt(0x300))).toMatchObject({ verdict: 'obeys-with-knob',
      settings: { 'x-nv-gpudirect-clique': '5', 'x-vpasid-cap-offset': '0x300' } });
    expect(answer('qemu-7.2', cliqueAt(0xd4))).toMatchObject({ verdict: 'cannot-obey',
      unmet: [{ kind: 'place-fixed', rule: 'Q7', insteadOffset: 0xc8 }] });
    const among = (...starts: readonly number[]) => knobsFor([cliqueAt(0xd4)], profile('qemu-11.1'), {}, starts);
    expect(among(0xc8)).toMatchObject({ verdict: 'obeys-with-knob', settings: { 'x-nv-gpudirect-clique': '5' } });
    expect(among(0xc8, 0xd4).unmet).toMatchObject([{ kind: 'device-refused', rule: 'Q7', insteadOffset: null }]);
  });

  it('C3: the clique of Cloud Hypervisor is at D4, whatever starts there', () => {
    expect(answer('cloud-hypervisor-old', cliqueAt(0xd4))).toMatchObject({ verdict: 'obeys-with-knob',
      settings: { x_nv_gpudirect_clique: '5' } });
    expect(knobsFor([cliqueAt(0xc8)], profile('cloud-hypervisor-new'), {}, [0xd4]).unmet)
      .toMatchObject([{ kind: 'place-fixed', rule: 'C3', insteadOffset: 0xd4 }]);
    expect(textOf('cloud-hypervisor-new', 'cloud-hypervisor-api', cliqueAt(0xd4)))
      .toContain('"x_nv_gpudirect_clique":5');
    for (const name of ['openvmm', 'crosvm', 'libvfio-user']) {
      expect(answer(name, cliqueAt(0xd4)).unmet).toMatchObject([{ kind: 'never-made' }]);
    }
  });

  it('Q8: QEMU makes the VMD shadow of itself, and what is in it is the host\'s', () => {
    expect(answer('qemu-10.0', shadow)).toMatchObject({ verdict: 'exact', settings: {},
      needs: ['the same BARs on every host: the shadow holds their addresses (Q8)'] });
    expect(answer('cloud-hypervisor-new', shadow).unmet).toMatchObject([{ kind: 'never-made', rule: 'C8' }]);
  });

  it('L1: a device side takes DSN and vendor-specific ones wherever they are told', () => {
    const dsn = extended(0x03, 'DSN', 0x200, 12);
    expect(answer('libvfio-user', dsn)).toMatchObject({ verdict: 'exact', unmet: [] });
    expect(answer('qemu-11.0', dsn).unmet).toMatchObject([{ kind: 'never-made',
      says: expect.stringContaining('that of the hardware') as unknown }]);
  });

  it.each([[0x03, 'DSN', 'K8'], [0x0d, 'ACS', 'K9'], [0x0f, 'ATS', 'ats=off'], [0x13, 'PRI', 'K8'],
    [0x23, 'DVSEC', '6.4']])('what a guest finds of %p (%s) instead is said', (id, name, found) => {
    for (const vmm of ['qemu-11.1', 'cloud-hypervisor-new', 'openvmm', 'crosvm']) {
      expect(answer(vmm, extended(id, name, 0x300, 16)).unmet[0]?.says).toContain(found);
    }
  });

  it('the implicit default is told even where nothing or something else is wanted', () => {
    for (const wanted of [[], [pasidAt(0x300)], [pasidAt(0xff8)]]) {
      expect(answer('qemu-11.0', ...wanted).implicitDefault).toMatchObject({ offset: 0xff8,
        setting: 'x-vpasid-cap-offset' });
    }
    expect(answer('cloud-hypervisor-new').implicitDefault).toMatchObject({ offset: 0xff8, setting: null });
    expect(answer('qemu-10.0').implicitDefault).toBeNull();
  });

  it('nothing wanted is obeyed by all', () => {
    for (const { name } of vmmProfiles) expect(answer(name)).toMatchObject({ verdict: 'exact', unmet: [] });
  });

  it('commas in names are doubled for QEMU, quotes escaped for XML', () => {
    const { configuration } = knobsFor([], profile('qemu-11.0'), { bus: 'a,b', device: 'it\'s' });
    expect(configuration[0]?.text).toContain('bus=a,,b');
    expect(configuration[2]?.text).toContain('it&apos;s');
  });
});

describe('what a VMM is able to do', () => {
  it('is said of each in plain data', () => {
    expect(vmmProfiles.map((one) => vmmAbilities(one)).map(({ profile, placing }) => [profile, placing])).toEqual([
      ['qemu-7.2', 'none'], ['qemu-10.0', 'none'], ['qemu-11.0', 'pinned-by-setting'],
      ['qemu-11.1', 'pinned-by-setting'], ['cloud-hypervisor-old', 'none'],
      ['cloud-hypervisor-new', 'end-of-space-only'], ['openvmm', 'not-known'], ['crosvm', 'none'],
      ['libvfio-user', 'none'], ['generic', 'whole-document'],
    ]);
    for (const one of vmmProfiles) expect(JSON.parse(JSON.stringify(vmmAbilities(one)))).toEqual(vmmAbilities(one));
  });

  it('is found by name, and an unknown name is refused with those there are', () => {
    const [first] = vmmProfiles;
    expect(profileNamed('qemu-7.2')).toEqual(first === undefined ? undefined : ok(first));
    expect(profileNamed('qemu-9')).toMatchObject({ ok: false, refusal: { kind: 'profile-unknown', given: 'qemu-9' } });
  });
});
