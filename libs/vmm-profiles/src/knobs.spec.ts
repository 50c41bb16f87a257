import { wrongSetting } from './knobs.js';
import { profileNamed } from './vmm-profiles.js';

function wrong(name: string, settings: Readonly<Record<string, string>>): unknown {
  const profile = profileNamed(name);
  if (!profile.ok) throw new Error(name);
  const found = wrongSetting(profile.value.settings, settings);
  return found && [found.kind, found.name, found.allowed];
}

describe('the settings of a VMM', () => {
  it.each([
    ['openvmm', 'bar0', 'host'], ['openvmm', 'bar0', '0x4000000000'],
    ['crosvm', 'iommu', 'coiommu'], ['crosvm', 'iommu', 'off'], ['crosvm', 'guest-address', '00:1f.7'],
    ['cloud-hypervisor-old', 'pci_segment', '1'], ['cloud-hypervisor-new', 'x_exclude_mmap_bars', '[0,2]'],
    ['cloud-hypervisor-new', 'x_exclude_mmap_bars', '5'], ['cloud-hypervisor-new', 'iommu', 'on'],
    ['cloud-hypervisor-new', 'pci_device_id', '31'],
    ['qemu-11.0', 'x-pci-device-id', '0xffff'], ['qemu-7.2', 'x-pci-sub-vendor-id', '0xffff'],
    ['qemu-11.1', 'x-pci-sub-device-id', '65535'], ['qemu-11.0', 'x-pci-vendor-id', '0xfffe'],
  ])('%s takes %s=%s', (name, setting, value) => {
    expect(wrong(name, { [setting]: value })).toBeUndefined();
  });

  it.each([
    ['openvmm', 'bar0', '4096', 'host, or an address as 0x...'],
    ['openvmm', 'bar0', 'hostess', 'host, or an address as 0x...'],
    ['crosvm', 'iommu', 'on', 'viommu, coiommu, pkvm-iommu, off'],
    ['crosvm', 'guest-address', '1f.7', 'an address as 00:1f.7'],
    ['cloud-hypervisor-new', 'x_exclude_mmap_bars', '[0,6]', 'a list of 0..5, as [0,5]'],
    ['cloud-hypervisor-new', 'x_exclude_mmap_bars', '[]', 'a list of 0..5, as [0,5]'],
    ['qemu-11.0', 'x-pci-vendor-id', '0xffff', '0..65534'], ['qemu-11.0', 'x-pci-device-id', '0x10000', '0..65535'],
  ])('%s refuses %s=%s and says what it takes', (name, setting, value, allowed) => {
    expect(wrong(name, { [setting]: value })).toEqual(['setting-out-of-range', setting, allowed]);
  });

  it('that it does not have are refused with those it has', () => {
    expect(wrong('openvmm', { toString: '1' })).toEqual(['setting-unknown', 'toString', 'bar0']);
    expect(wrong('generic', { ats: 'on' })).toEqual(['setting-unknown', 'ats', 'none']);
  });
});
