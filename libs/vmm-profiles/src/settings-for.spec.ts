import { ok } from '@cadastre/config-space';
import { type ConfigurationFragment, configurationOf } from './configuration.js';
import { type SettingsAnswer, settingsFor, type WantedPlacement } from './settings-for.js';
import { type PasidFacts } from './host-facts.js';
import { device, extendedOf, pasid16, predict, withPasid } from './testing.js';
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
const answer = (name: string, ...wanted: readonly WantedPlacement[]): SettingsAnswer =>
  settingsFor(wanted, profile(name));
const written = (
  name: string, settings: Readonly<Record<string, string>>, pasid: PasidFacts | null = pasid16,
): readonly ConfigurationFragment[] => configurationOf(profile(name), { settings, port: 'root-port', pasid },
  { hostBdf: '0000:3b:00.1', device: 'nic0', bus: 'rp1' });
const textOf = (name: string, kind: string, wanted = pasidAt(0x300)): string =>
  written(name, answer(name, wanted).settings).find((one) => one.kind === kind)?.text ?? '';

describe('what to set', () => {
  it('Q25: QEMU gets the offset, iommufd and a vSMMU with PASID', () => {
    expect(answer('qemu-11.0', pasidAt(0x300))).toMatchObject({
      settings: { 'x-vpasid-cap-offset': '0x300' }, unmet: [] });
    expect(textOf('qemu-11.0', 'qemu-arguments')).toBe('-object iommufd,id=iommufd0 '
      + '-device arm-smmuv3,primary-bus=pcie.0,id=smmu0,accel=on,ssidsize=16 '
      + '-device vfio-pci,id=nic0,host=0000:3b:00.1,bus=rp1,iommufd=iommufd0,x-vpasid-cap-offset=0x300');
    expect(JSON.parse(textOf('qemu-11.0', 'qmp'))).toEqual({ execute: 'device_add', arguments: {
      'driver': 'vfio-pci', 'id': 'nic0', 'host': '0000:3b:00.1', 'bus': 'rp1', 'iommufd': 'iommufd0',
      'x-vpasid-cap-offset': 0x300 } });
    expect(textOf('qemu-11.0', 'libvirt-xml')).toContain(
      '<qemu:arg value=\'vfio-pci,id=nic0,host=0000:3b:00.1,bus=rp1,iommufd=iommufd0,x-vpasid-cap-offset=0x300\'/>');
  });

  it('a setting that is obeyed is what the prediction shows', () => {
    const { settings } = answer('qemu-11.1', pasidAt(0x300));
    expect(extendedOf(predict(device.d1, 'qemu-11.1', { settings }, withPasid))).toBe('100:1>1f0:f>300:1b');
  });

  it('Cloud Hypervisor obeys at 0xff8 and nowhere else, and says what the guest would see', () => {
    expect(answer('cloud-hypervisor-new', pasidAt(0xff8))).toMatchObject({ unmet: [], settings: {} });
    expect(answer('cloud-hypervisor-new', pasidAt(0x300))).toMatchObject({ 
      unmet: [{ kind: 'end-of-space-only', rule: 'C8', insteadOffset: 0xff8 }] });
    expect(textOf('cloud-hypervisor-new', 'cloud-hypervisor-arguments'))
      .toBe('--platform iommufd=on --device path=/sys/bus/pci/devices/0000:3b:00.1/,id=nic0,iommu=on');
  });

  it('O6: OpenVMM needs pasid on the port', () => {
    expect(textOf('openvmm', 'openvmm-arguments'))
      .toBe('--pcie-root-port rc0:rp1,pasid --vfio host=0000:3b:00.1,port=rp1,iommu=iommufd0');
  });

  it('O7: OpenVMM needs a vSMMU that advertises it, and its place is not known', () => {
    expect(answer('openvmm', pasidAt(0x300))).toMatchObject({ 
      unmet: [{ kind: 'place-not-known', confidence: 'U', insteadOffset: null }],
      needs: expect.arrayContaining(['a vSMMU that advertises it (O7)']) as unknown });
  });

  it.each(['qemu-7.2', 'qemu-10.0', 'cloud-hypervisor-old', 'crosvm', 'libvfio-user'])('%s makes none', (name) => {
    expect(answer(name, pasidAt(0xff8))).toMatchObject({ unmet: [{ kind: 'never-made' }] });
  });

  it.each([0x102, 0xfc, 0xffc, 0x1000])('an offset of %p is refused before QEMU does', (offset) => {
    expect(answer('qemu-11.0', pasidAt(offset))).toMatchObject({ settings: {},
      unmet: [{ kind: 'offset-refused', rule: 'Q16' }] });
  });

  it('no VMM but the generic one makes PRI, or PASID twice', () => {
    for (const { name } of vmmProfiles.filter(({ pasid }) => pasid.kind !== 'document')) {
      expect(answer(name, extended(0x13, 'PRI', 0x300, 16)).unmet).toHaveLength(1);
      expect(answer(name, pasidAt(0xff8), pasidAt(0xff8)).unmet.map(({ kind }) => kind)).toContain('wanted-twice');
      expect(answer(name, extended(0x10, 'SRIOV', 0x300, 64)).unmet).toHaveLength(1);
    }
    expect(answer('generic', pasidAt(0x300), extended(0x13, 'PRI', 0x308, 16))).toMatchObject({
      unmet: [], settings: {} });
  });

  it('Q7: the clique has a setting, C8 and, where a capability starts there, D4', () => {
    expect(answer('qemu-11.0', cliqueAt(0xc8), pasidAt(0x300))).toMatchObject({ unmet: [],
      settings: { 'x-nv-gpudirect-clique': '5', 'x-vpasid-cap-offset': '0x300' } });
    expect(answer('qemu-7.2', cliqueAt(0xd4))).toMatchObject({ 
      unmet: [{ kind: 'place-fixed', rule: 'Q7', insteadOffset: 0xc8 }] });
    const among = (...starts: readonly number[]) => settingsFor([cliqueAt(0xd4)], profile('qemu-11.1'), starts);
    expect(among(0xc8)).toMatchObject({ settings: { 'x-nv-gpudirect-clique': '5' } });
    expect(among(0xc8, 0xd4).unmet).toMatchObject([{ kind: 'device-refused', rule: 'Q7', insteadOffset: null }]);
  });

  it('C3: the clique of Cloud Hypervisor is at D4, whatever starts there', () => {
    expect(answer('cloud-hypervisor-old', cliqueAt(0xd4))).toMatchObject({ unmet: [],
      settings: { x_nv_gpudirect_clique: '5' } });
    expect(settingsFor([cliqueAt(0xc8)], profile('cloud-hypervisor-new'), [0xd4]).unmet)
      .toMatchObject([{ kind: 'place-fixed', rule: 'C3', insteadOffset: 0xd4 }]);
    expect(textOf('cloud-hypervisor-new', 'cloud-hypervisor-api', cliqueAt(0xd4)))
      .toContain('"x_nv_gpudirect_clique":5');
    for (const name of ['openvmm', 'crosvm', 'libvfio-user']) {
      expect(answer(name, cliqueAt(0xd4)).unmet).toMatchObject([{ kind: 'never-made' }]);
    }
  });

  it('Q8: QEMU makes the VMD shadow of itself, and what is in it is the host\'s', () => {
    expect(answer('qemu-10.0', shadow)).toMatchObject({ settings: {},
      needs: ['the same BARs on every host: the shadow holds their addresses (Q8)'] });
    expect(answer('cloud-hypervisor-new', shadow).unmet).toMatchObject([{ kind: 'never-made', rule: 'C2' }]);
  });

  it('L1: a device side takes DSN and vendor-specific ones wherever they are told', () => {
    const dsn = extended(0x03, 'DSN', 0x200, 12);
    expect(answer('libvfio-user', dsn)).toMatchObject({ unmet: [] });
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
    for (const { name } of vmmProfiles) expect(answer(name)).toMatchObject({ unmet: [] });
  });

  it('a capability that a VMM does not make names the rule of that version', () => {
    const rules = (name: string) => answer(name, pasidAt(0xff8), shadow).unmet.map(({ rule }) => rule);
    expect([rules('qemu-7.2'), rules('qemu-10.0')]).toEqual([['no synthesis'], ['no synthesis']]);
    expect(rules('cloud-hypervisor-old')).toEqual(['no synthesis', 'C2']);
    expect(rules('crosvm')).toEqual(['X1', 'X1']);
    expect(answer('qemu-11.0', extended(0x13, 'PRI', 0x300, 16)).unmet).toMatchObject([{ rule: 'Q14' }]);
  });

  it('a clique whose place is fixed is made there all the same: that is what the guest sees', () => {
    expect(answer('qemu-11.0', cliqueAt(0xd4), pasidAt(0x300))).toMatchObject({
      unmet: [{ kind: 'place-fixed', insteadOffset: 0xc8 }],
      settings: { 'x-nv-gpudirect-clique': '5', 'x-vpasid-cap-offset': '0x300' } });
  });

  it('commas in names are doubled for QEMU, quotes escaped for XML', () => {
    const configuration = configurationOf(profile('qemu-11.0'), { settings: {}, port: 'root-port', pasid: null },
      { bus: 'a,b', device: 'it\'s' });
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
