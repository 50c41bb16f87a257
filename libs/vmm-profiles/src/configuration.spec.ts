import { type ConfigurationFragment, configurationOf, type DeviceNames } from './configuration.js';
import { type GuestPort, guestPorts } from './knobs.js';
import { profileNamed, vmmProfiles } from './vmm-profiles.js';

const names: DeviceNames = { hostBdf: '0000:3b:00.1', device: 'nic0', bus: 'rp1' };
function written(
  name: string, settings: Readonly<Record<string, string>>, port: GuestPort = 'root-port', given = names,
): Readonly<Record<string, ConfigurationFragment>> {
  const profile = profileNamed(name);
  if (!profile.ok) throw new Error(name);
  return Object.fromEntries(configurationOf(profile.value, { settings, port, pasid: null }, given).map((one) =>
    [one.kind, one]));
}
const json = (fragment: ConfigurationFragment | undefined): unknown =>
  JSON.parse((fragment?.text ?? '').replace(/^[^{]*/, ''));

describe('a configuration to paste', () => {
  it('holds every setting, in each of its forms', () => {
    const settings = { 'x-nv-gpudirect-clique': '5', 'x-pci-device-id': '0x1234', 'ats': 'off', 'rombar': '0',
      'multifunction': 'on', 'x-msix-relocation': 'bar2' };
    const { 'qemu-arguments': line, qmp, 'libvirt-xml': xml } = written('qemu-11.1', settings);
    const all = Object.entries(settings).map(([name, value]) => `${name}=${value}`).join(',');
    expect(line?.text).toBe(`-device vfio-pci,id=nic0,host=0000:3b:00.1,bus=rp1,${all}`);
    expect(xml?.text).toContain(all);
    expect(json(qmp)).toMatchObject({ arguments: { 'driver': 'vfio-pci', 'bus': 'rp1', 'x-nv-gpudirect-clique': 5,
      'x-pci-device-id': 0x1234, 'ats': 'off', 'rombar': 0, 'multifunction': true, 'x-msix-relocation': 'bar2' } });
  });

  it('says in each form of QEMU that x- properties are not stable', () => {
    const taints = (settings: Readonly<Record<string, string>>) =>
      Object.values(written('qemu-11.1', settings)).map(({ kind, taint }) => [kind, /x-/.test(taint ?? '')]);
    expect(taints({ 'x-vpasid-cap-offset': '0x300' })).toEqual(
      [['qemu-arguments', true], ['qmp', true], ['libvirt-xml', true]]);
    expect(taints({ ats: 'off' })).toEqual([['qemu-arguments', false], ['qmp', false], ['libvirt-xml', false]]);
    expect(written('qemu-11.1', {})['libvirt-xml']?.taint).toMatch(/custom-argv/);
  });

  it('names a bus of the kind the guest has it on, where nobody names one', () => {
    const line = (port: GuestPort): string => written('qemu-11.0', {}, port, {})['qemu-arguments']?.text ?? '';
    expect(guestPorts.map((port) => /bus=([^,]*)/.exec(line(port))?.[1]))
      .toEqual(['port0', 'pcie.0', 'bridge0', 'pci.0']);
  });

  it('of Cloud Hypervisor has numbers, switches and lists as its API wants them', () => {
    const { 'cloud-hypervisor-arguments': line, 'cloud-hypervisor-api': api } = written('cloud-hypervisor-new',
      { pci_segment: '1', iommu: 'off', x_exclude_mmap_bars: '[0,2]', x_nv_gpudirect_clique: '3' });
    expect(line?.text).toBe('--device path=/sys/bus/pci/devices/0000:3b:00.1/,id=nic0,pci_segment=1,iommu=off,'
      + 'x_exclude_mmap_bars=[0,2],x_nv_gpudirect_clique=3');
    expect(json(api)).toEqual({ id: 'nic0', path: '/sys/bus/pci/devices/0000:3b:00.1/', pci_segment: 1, iommu: false,
      x_exclude_mmap_bars: [0, 2], x_nv_gpudirect_clique: 3 });
  });

  it('of crosvm and OpenVMM has their settings', () => {
    expect(written('crosvm', { 'iommu': 'off', 'guest-address': '00:1f.7' })['crosvm-arguments']?.text)
      .toBe('--vfio /sys/bus/pci/devices/0000:3b:00.1,iommu=off,guest-address=00:1f.7');
    expect(written('crosvm', {})['crosvm-arguments']?.text).toContain('iommu=viommu');
    expect(written('openvmm', { bar0: '0x4000000000' })['openvmm-arguments']?.text)
      .toBe('--pcie-root-port rc0:rp1 --vfio host=0000:3b:00.1,port=rp1,bar0=0x4000000000');
  });

  it('is there for every VMM that has something to write', () => {
    expect(vmmProfiles.filter(({ configure }) => configure === null).map(({ name }) => name))
      .toEqual(['libvfio-user', 'generic']);
  });
});
