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

/** Every revision of every profile: what was predicted with an old one can be predicted again. */
export const allRevisions: readonly VmmProfile[] = [
  qemu72, qemu100, qemu110, qemu111, cloudHypervisorOld, cloudHypervisorNew, openvmm, crosvm, libvfioUser, generic,
];

/** Every VMM whose view of a function can be predicted, as it is known best. */
export const vmmProfiles: readonly VmmProfile[] = newestOf(allRevisions);

export interface ProfileUnknown {
  readonly kind: 'profile-unknown';
  readonly given: string;
  readonly known: readonly string[];
}

/**
 * Refuses a name nobody has a profile for: a guess would be a prediction without evidence.
 * @param revision the newest when left out
 */
export function profileNamed(
  name: string, revision?: number, among: readonly VmmProfile[] = allRevisions,
): Result<VmmProfile, ProfileUnknown> {
  const found = (revision === undefined ? newestOf(among) : among).find((one) =>
    one.name === name && (revision === undefined || one.revision === revision));
  if (found !== undefined) return ok(found);
  return refuse({ kind: 'profile-unknown', given: revision === undefined ? name : `${name}/${revision}`,
    known: newestOf(among).map((one) => one.name) });
}

/** The newest revision of each name, in their order. */
export function newestOf(revisions: readonly VmmProfile[]): readonly VmmProfile[] {
  return revisions.filter(({ name, revision }) =>
    !revisions.some((other) => other.name === name && other.revision > revision));
}
