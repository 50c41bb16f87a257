import { hostKernelOf } from './host-kernel.js';
import { profileFor } from './profile-for.js';

function taken(name: string, version: string | null): unknown {
  const result = profileFor({ name, version });
  return result.ok ? [result.value.profile.name, result.value.assumed === null ? 'known' : 'assumed'] : 'unknown';
}

describe('the profile of a VMM and version', () => {
  it.each([
    ['qemu', '11.0', 'qemu-11.0'], ['qemu', '11.0.2', 'qemu-11.0'], ['qemu', '7.2.22-debian', 'qemu-7.2'],
    ['qemu-11.1', null, 'qemu-11.1'], ['qemu-11.0.2', null, 'qemu-11.0'], ['qemu', 'v11.0.2', 'qemu-11.0'],
    ['cloud-hypervisor', 'new', 'cloud-hypervisor-new'], ['generic', null, 'generic'],
  ])('of %s %s is %s', (name, version, profile) => {
    expect(taken(name, version)).toEqual([profile, 'known']);
  });

  it.each([
    ['qemu', '8.2.1', 'qemu-7.2'], ['qemu', '10.2', 'qemu-10.0'], ['qemu', '12.0', 'qemu-11.1'],
    ['openvmm', '1.0', 'openvmm'], ['openvmm', null, 'openvmm'], ['crosvm', '129', 'crosvm'],
    ['crosvm', null, 'crosvm'], ['libvfio-user', null, 'libvfio-user'], ['crosvm-129', null, 'crosvm'],
    ['cloud-hypervisor', '48.0', 'cloud-hypervisor-old'], ['cloud-hypervisor', 'v52.1', 'cloud-hypervisor-old'],
    ['cloud-hypervisor-48.0', null, 'cloud-hypervisor-old'], ['qemu-12.0', null, 'qemu-11.1'],
  ])('of %s %s is assumed to be %s', (name, version, profile) => {
    expect(taken(name, version)).toEqual([profile, 'assumed']);
  });

  it('between QEMU 7.2 and 10.0 says what has changed since, which the profile does not have', () => {
    const assumed = (version: string): string | null => {
      const result = profileFor({ name: 'qemu', version });
      return result.ok ? result.value.assumed : null;
    };
    expect([assumed('8.0.4'), assumed('8.2'), assumed('9.2')].map((says) => [/REBAR/.test(says ?? ''),
      /vendor's bytes/.test(says ?? '')])).toEqual([[false, false], [true, false], [true, true]]);
    expect(assumed('10.2')).toBe('nobody looked at QEMU 10.2: qemu-10.0 is the last before');
  });

  it.each([
    ['qemu', '6.2'], ['qemu', null], ['qemu', 'eleven'], ['cloud-hypervisor', 'newer'],
    ['cloud-hypervisor', null], ['bhyve', '14'], ['bhyve-14', null], ['toString', null], ['qemu-11.0', '11.0'],
  ])('of %s %s is not guessed: it is refused with what is known', (name, version) => {
    const result = profileFor({ name, version });
    expect(result).toMatchObject({ ok: false, refusal: { kind: 'vmm-unknown', name, version } });
    if (!result.ok) expect(result.refusal.known).toContain('qemu 11.0');
  });
});

it('says where what is assumed was read, and how to name the other generation', () => {
  const assumed = (name: string, version: string | null): string | null => {
    const result = profileFor({ name, version });
    return result.ok ? result.value.assumed : null;
  };
  expect(assumed('openvmm', null)).toMatch(/^read in vfio_assigned_device/);
  expect(assumed('cloud-hypervisor', '48.0')).toMatch(/cloud-hypervisor-old, read in .*ae44c2971.*version new/);
});

describe('the kernel a host names', () => {
  it.each([
    ['7.2.13', 'upstream', 'upstream', false], ['6.12.0', 'nvidia', 'nvidia', false],
    ['6.12.0-1014-nvidia', 'ubuntu', 'nvidia', true], ['6.12.0', 'debian', 'upstream', true],
  ])('%s %s is taken for %s', (release, flavour, known, assumed) => {
    expect(hostKernelOf({ release, flavour })).toEqual({ kernel: { release, flavour: known }, assumed });
  });
});
