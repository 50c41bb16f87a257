import { type ConfigSpace, vfioView, vfioWrites, type WriteMask } from '@cadastre/config-space';
import { EmulatedBits, GuestImage } from './guest-image.js';
import { type HostFacts } from './host-facts.js';
import { type Knobs } from './knobs.js';
import { type VmmProfile } from './vmm-profile.js';

/**
 * What a guest's write to a byte does: `hardware` and `effect` are the kernel's, to which such a VMM hands every write
 * (Q20); `shown` are the bits the guest reads back as written.
 */
export type GuestWrite = WriteMask;

/**
 * What writes of a guest do, for each byte it can reach.
 * @returns null where the device does not start, or where it is not known what the VMM hands to the kernel
 */
export function guestWrites(
  physical: ConfigSpace, profile: VmmProfile, knobs: Knobs, host: HostFacts,
): readonly GuestWrite[] | null {
  if (profile.reads !== 'vfio-pci' || !profile.forwardsSyntheticWrites) return null;
  const bits = new EmulatedBits();
  const image = new GuestImage(vfioView(physical, host.kernel, host.about).space, bits);
  const outcome = profile.show(image, {
    physical, host, settings: knobs.settings ?? {}, port: knobs.port ?? 'root-port',
    viommuPasid: knobs.viommuPasid ?? true,
  });
  if (outcome.kind !== 'starts') return null;
  return vfioWrites(physical, host.kernel).slice(0, image.size).map((mask, at) => {
    const emulated = bits.emulated[at] ?? 0;
    const changed = emulated & (bits.writable[at] ?? 0);
    return { ...mask, shown: (mask.shown & ~emulated) | changed };
  });
}
