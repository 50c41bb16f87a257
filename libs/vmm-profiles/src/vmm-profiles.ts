import { ok, refuse, type Result } from '@cadastre/config-space';
import { cloudHypervisorNew } from './profiles/cloud-hypervisor-new.js';
import { cloudHypervisorOld } from './profiles/cloud-hypervisor-old.js';
import { crosvm } from './profiles/crosvm.js';
import { generic } from './profiles/generic.js';
import { libvfioUser } from './profiles/libvfio-user.js';
import { openvmm } from './profiles/openvmm.js';
import { qemu100 } from './profiles/qemu-10-0.js';
import { qemu110 } from './profiles/qemu-11-0.js';
import { qemu111 } from './profiles/qemu-11-1.js';
import { qemu72 } from './profiles/qemu-7-2.js';
import { type VmmProfile } from './vmm-profile.js';

/** Every VMM whose view of a function can be predicted. */
export const vmmProfiles: readonly VmmProfile[] = [
  qemu72, qemu100, qemu110, qemu111, cloudHypervisorOld, cloudHypervisorNew, openvmm, crosvm, libvfioUser, generic,
];

export interface ProfileUnknown {
  readonly kind: 'profile-unknown';
  readonly given: string;
  readonly known: readonly string[];
}

/** Refuses a name nobody has a profile for: a guess would be a prediction without evidence. */
export function profileNamed(name: string): Result<VmmProfile, ProfileUnknown> {
  const found = vmmProfiles.find((one) => one.name === name);
  return found === undefined
    ? refuse({ kind: 'profile-unknown', given: name, known: vmmProfiles.map((one) => one.name) }) : ok(found);
}
