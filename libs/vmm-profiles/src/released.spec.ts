import { createHash } from 'node:crypto';
import { type HostKernel, kernelViews, vfioView, vfioWrites } from '@cadastre/config-space';
import { guestView } from './guest-view.js';
import { hostsOfAll, knobsOfAll, spacesOfAll } from './testing.js';
import { type VmmProfile } from './vmm-profile.js';
import { vmmProfiles } from './vmm-profiles.js';

const digest = (update: (hash: { update(given: string | Uint8Array): unknown }) => void): string => {
  const hash = createHash('sha256');
  update(hash);
  return hash.digest('hex').slice(0, 16);
};

/**
 * What each released revision makes of the samples and of made-up functions, on several kernels and with each of its
 * settings. A digest that changes means that a released profile was edited: make a new revision beside it instead, for
 * what was predicted with the old one must stay reproducible.
 */
const released: Readonly<Record<string, string>> = {
  'qemu-7.2/1': 'b26c71e5a3c622f5',
  'qemu-10.0/1': 'e5c89967952d51d4',
  'qemu-11.0/1': '5aa81642032531ba',
  'qemu-11.1/1': '75958a14f817b263',
  'cloud-hypervisor-old/1': '3f57495c5faae3ae',
  'cloud-hypervisor-new/1': 'e0819b379c3210e1',
  'openvmm/1': '88c110f300830259',
  'crosvm/1': 'e71da10be2fe9360',
  'libvfio-user/1': 'ec9a8dec24fd65c8',
  'generic/1': '1cfb609a355aca30',
  'linux-vfio-6.1/1': 'f0876a2c19c2db9f',
  'linux-vfio-6.4/1': '54089cdb75f8402e',
  'linux-vfio-6.12/1': '1f583effc27ec26a',
  'linux-vfio-7.2/1': '1f583effc27ec26a',
  'linux-vfio-6.1-nvidia/1': '8c80612d795e0cab',
  'linux-vfio-6.4-nvidia/1': '875f6247611478fa',
  'linux-vfio-6.12-nvidia/1': '455132e6c6e36e27',
  'linux-vfio-7.2-nvidia/1': '455132e6c6e36e27',
};

describe('a released profile', () => {
  it.each(vmmProfiles.map((one): [string, VmmProfile] => [`${one.name}/${one.revision}`, one]))(
    '%s still shows what it showed', (name, profile) => {
      const made = digest((hash) => {
        for (const space of spacesOfAll) {
          for (const host of hostsOfAll) {
            for (const knobs of knobsOfAll(profile)) {
              const { outcome, space: guest, unpredicted, kernelView } = guestView(space, profile, knobs, host);
              hash.update(JSON.stringify([outcome.kind, unpredicted, kernelView]));
              hash.update(guest?.toBytes() ?? '');
            }
          }
        }
      });
      expect([name, made]).toEqual([name, released[name]]);
    });
});

describe('a released view of Linux', () => {
  it.each(kernelViews.map((one) => [`${one.name}/${one.revision}`, one] as const))(
    '%s still shows what it showed', (name, view) => {
      const kernel: HostKernel = { release: /\d+\.\d+/.exec(view.name)?.[0] ?? '', flavour: view.flavour };
      const made = digest((hash) => {
        for (const space of spacesOfAll) {
          const { space: seen, rawWritable, kernel: taken } = vfioView(space, kernel);
          expect(taken.name).toBe(view.name);
          hash.update(seen.toBytes());
          hash.update(JSON.stringify([rawWritable, vfioWrites(space, kernel)]));
        }
      });
      expect([name, made]).toEqual([name, released[name]]);
    });

  it('is told from every other: no two show the same', () => {
    const names = kernelViews.map(({ name, revision }) => `${name}/${revision}`);
    // 6.12 and 7.2 have the same numbers; they differ in how well that is known.
    const same = new Set(names.map((name) => released[name]));
    expect(same.size).toBe(names.length - 2);
  });
});
