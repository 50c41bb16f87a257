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
import { vmmProfiles } from './vmm-profiles.js';

/** A VMM as a control plane names it. */
export interface VmmNamed {
  /** `qemu`, or with its version `qemu-11.0`. */
  readonly name: string;
  /** `11.0.2`; of Cloud Hypervisor also `old` or `new`, since no release is known to have begun the new generation. */
  readonly version: string | null;
}

export interface ProfileTaken {
  readonly profile: VmmProfile;
  /** Why it is a guess about this version; null when it was made for it. */
  readonly assumed: string | null;
}

export interface VmmUnknown {
  readonly kind: 'vmm-unknown';
  readonly name: string;
  readonly version: string | null;
  /** What can be named: `qemu 11.0`. */
  readonly known: readonly string[];
}

type Era = readonly [major: number, minor: number, profile: VmmProfile];

/** What is known to have changed between two versions that were looked at. */
const changesBetween: readonly (readonly [major: number, minor: number, says: string])[] = [
  [8, 1, 'since 8.1 REBAR is kept and rewritten, and a GPUDirect clique may be at D4'],
  [9, 1, 'since 9.1 a migration leaves a vendor\'s bytes out'],
];

/** Oldest first: a version between two behaves as the older one until somebody looked. */
const qemuEras: readonly Era[] = [[7, 2, qemu72], [10, 0, qemu100], [11, 0, qemu110], [11, 1, qemu111]];
const generations: Readonly<Record<string, VmmProfile>> = { old: cloudHypervisorOld, new: cloudHypervisorNew };
const ofAnyVersion: Readonly<Record<string, VmmProfile>> = { openvmm, crosvm, 'libvfio-user': libvfioUser, generic };

/**
 * The profile of a VMM and version, which may be part of the name. A guess is told as one; what nothing is known about
 * is refused.
 */
export function profileFor(given: VmmNamed): Result<ProfileTaken, VmmUnknown> {
  const { name, version } = given;
  const named = version === null ? vmmProfiles.find((one) => one.name === name) : undefined;
  const [, family = name, told = version] = version === null ? /^(.+?)-(v?\d.*)$/.exec(name) ?? [] : [];
  const taken = named ? takenByName(named) : takenByVersion(family, told);
  return taken ? ok(taken) : refuse({ kind: 'vmm-unknown', name, version, known: knownVmms() });
}

/** A name that holds a version was looked at for just that one. */
function takenByName(profile: VmmProfile): ProfileTaken {
  return Object.hasOwn(ofAnyVersion, profile.name) ? readAtOneCommit(profile) : { profile, assumed: null };
}

function takenByVersion(family: string, version: string | null): ProfileTaken | undefined {
  if (family === 'qemu') return qemuOf(version ?? '');
  if (family === 'cloud-hypervisor') return cloudHypervisorOf(version ?? '');
  const profile = ownOf(ofAnyVersion, family);
  return profile && readAtOneCommit(profile);
}

function qemuOf(version: string): ProfileTaken | undefined {
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,3})(?:[.\-+~].*)?$/.exec(version) ?? [];
  const era = qemuEras.findLast(([since, point]) =>
    Number(major) > since || (Number(major) === since && Number(minor) >= point));
  if (!era) return undefined;
  const isIt = Number(major) === era[0] && Number(minor) === era[1];
  const profile = era[2];
  if (isIt) return { profile, assumed: null };
  const isPast = (since: number, point: number): boolean =>
    Number(major) > since || (Number(major) === since && Number(minor) >= point);
  const missed = changesBetween.filter(([since, point]) => isPast(since, point)
    && (since > era[0] || (since === era[0] && point > era[1]))).map(([, , says]) => `; ${says}`);
  return { profile, assumed: `nobody looked at QEMU ${version}: ${profile.name} is the last before${missed.join('')}` };
}

/** A generation by its name; a release is of the old one, as its main branch still was when it was read. */
function cloudHypervisorOf(version: string): ProfileTaken | undefined {
  const profile = ownOf(generations, version);
  if (profile) return { profile, assumed: null };
  if (!/^v?\d{1,3}(?:\.\d{1,3})*(?:[.\-+~].*)?$/.test(version)) return undefined;
  const { name, source } = cloudHypervisorOld;
  return { profile: cloudHypervisorOld, assumed: `no release of Cloud Hypervisor is known to be of the new generation: `
    + `${name}, read in ${source}, is taken for ${version}; name version new where PASID is made` };
}

function readAtOneCommit(profile: VmmProfile): ProfileTaken {
  return { profile, assumed: profile.evidence === 'ours' ? null : `read in ${profile.source}` };
}

function ownOf(among: Readonly<Record<string, VmmProfile>>, name: string): VmmProfile | undefined {
  return Object.hasOwn(among, name) ? among[name] : undefined;
}

function knownVmms(): readonly string[] {
  return [...qemuEras.map(([major, minor]) => `qemu ${major}.${minor}`),
    ...Object.keys(generations).map((version) => `cloud-hypervisor ${version}`), 'cloud-hypervisor 48.0',
    ...Object.keys(ofAnyVersion)];
}
