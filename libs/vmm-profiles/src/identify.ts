import { announcesExtendedSpace, type ByteRange, type ConfigSpace, type HostKernel, readHeader, type VfioFunction,
  walkExtendedCapabilities, walkStandardCapabilities } from '@cadastre/config-space';
import { guestView } from './guest-view.js';
import { type HostFacts, type PasidFacts } from './host-facts.js';
import { type GuestPort, guestPorts, type Knobs } from './knobs.js';
import { type VmmProfile } from './vmm-profile.js';
import { vmmProfiles } from './vmm-profiles.js';

/** One way a guest may have come to read what it reads. */
export interface Explanation {
  readonly profile: string;
  readonly revision: number;
  /** Kernels that give these bytes: release and flavour. */
  readonly kernels: readonly string[];
  readonly port: GuestPort;
  readonly settings: Readonly<Record<string, string>>;
  /** What the IOMMU must have told; null where nothing was made. */
  readonly pasid: PasidFacts | null;
  /** Bytes this does not explain; those it leaves open count too. */
  readonly differingBytes: number;
  readonly differing: readonly ByteRange[];
}

/** Enough to show every profile once. */
export const explanationsMax = 16;

const kernels: readonly HostKernel[] = [
  { release: '6.1', flavour: 'upstream' }, { release: '6.6', flavour: 'upstream' },
  { release: '6.12', flavour: 'upstream' }, { release: '7.2', flavour: 'upstream' },
  { release: '6.12', flavour: 'nvidia' },
];

/** For a VMM that does not read through vfio-pci. */
const anyKernel: HostKernel = { release: '7.2', flavour: 'upstream' };

/**
 * Which profile, kernel and knobs explain what a guest shows: the best first. A guest that has run has written to
 * its registers, so a few bytes always differ; the list and the made capabilities decide.
 */
export function identify(physical: ConfigSpace, guest: ConfigSpace): readonly Explanation[] {
  const clues = readClues(physical, guest);
  const found = new Map<string, Explanation>();
  for (const profile of vmmProfiles) {
    if (profile.reads === 'device-side') continue;
    for (const knobs of knobsWorthTrying(profile, clues)) {
      for (const kernel of profile.reads === 'vfio-pci' ? kernels : [anyKernel]) {
        const host: HostFacts = { kernel, pasid: clues.pasid, about: clues.about };
        const { space, unpredicted } = guestView(physical, profile, knobs, host);
        if (space === null) continue;
        const differing = rangesThatDiffer(space, guest);
        const settings = knobs.settings ?? {};
        const key = JSON.stringify([profile.name, knobs.port, settings, differing]);
        const before = found.get(key);
        found.set(key, {
          profile: profile.name, revision: profile.revision, port: knobs.port ?? 'root-port', settings, differing,
          kernels: kernel === anyKernel ? ['any'] : [...before?.kernels ?? [], `${kernel.release} ${kernel.flavour}`],
          pasid: makesPasid(profile) ? clues.pasid : null,
          differingBytes: differing.reduce((sum, { length }) => sum + length, 0)
            + (unpredicted.some(({ rule }) => rule === 'O5' || rule === 'reading E1') ? 1 : 0),
        });
      }
    }
  }
  return [...found.values()].sort((one, other) => one.differingBytes - other.differingBytes
    || Object.keys(one.settings).length - Object.keys(other.settings).length).slice(0, explanationsMax);
}

function makesPasid({ pasid }: VmmProfile): boolean {
  return pasid.kind !== 'none' && pasid.kind !== 'document';
}

interface Clues {
  readonly pasid: PasidFacts | null;
  readonly pasidOffset: number | null;
  readonly clique: number | null;
  readonly ids: Readonly<Record<string, string>>;
  readonly about: VfioFunction;
}

function readClues(physical: ConfigSpace, guest: ConfigSpace): Clues {
  const standard = walkStandardCapabilities(guest, readHeader(guest), []);
  const extended = announcesExtendedSpace(guest, standard) || guest.hasExtendedSpace
    ? walkExtendedCapabilities(guest, []) : [];
  const made = extended.find(({ id, offset }) => id === 0x1b && guest.captured(offset, 8)
    && (!physical.hasExtendedSpace || (physical.u32(offset) & 0xffff) !== 0x1b));
  const register = made === undefined ? 0 : guest.u16(made.offset + 4);
  const isVf = physical.u16(0) === 0xffff;
  const named = [['x-pci-vendor-id', 0x00], ['x-pci-device-id', 0x02], ['x-pci-sub-vendor-id', 0x2c],
    ['x-pci-sub-device-id', 0x2e]] as const;
  const ids = Object.fromEntries(named
    .filter(([, at]) => guest.u16(at) !== physical.u16(at) && !(isVf && at < 4))
    .map(([name, at]) => [name, `0x${guest.u16(at).toString(16)}`]));
  const cliqueAt = [0xc8, 0xd4].find((at) => guest.u8(at) === 0x09 && guest.u8(at + 2) === 0x08
    && guest.u16(at + 3) === 0x3250 && guest.u8(at + 5) === 0x50);
  return {
    pasid: made === undefined ? null : {
      widthBits: (register >>> 8) & 0x1f, execute: (register & 2) !== 0, privileged: (register & 4) !== 0,
    },
    pasidOffset: made?.offset ?? null,
    clique: cliqueAt === undefined ? null : (guest.u8(cliqueAt + 6) >>> 3) & 0xf,
    ids,
    about: {
      hasInterrupt: guest.u8(0x3d) !== 0,
      ...(isVf ? { role: 'vf', ids: { vendorId: guest.u16(0), deviceId: guest.u16(2) } } : {}),
    },
  };
}

/** The settings that the clues speak for, on every bus the profile tells apart; ATS either way. */
function knobsWorthTrying(profile: VmmProfile, clues: Clues): readonly Knobs[] {
  const has = (name: string): boolean => Object.hasOwn(profile.settings, name);
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(clues.ids)) if (has(name)) settings[name] = value;
  for (const name of ['x-nv-gpudirect-clique', 'x_nv_gpudirect_clique']) {
    if (has(name) && clues.clique !== null) settings[name] = String(clues.clique);
  }
  const { pasid, pasidOffset } = { pasid: profile.pasid, pasidOffset: clues.pasidOffset };
  if (pasid.kind === 'setting' && pasidOffset !== null && pasidOffset !== pasid.implicitOffset) {
    settings[pasid.setting] = `0x${pasidOffset.toString(16)}`;
  }
  const variants = has('ats') ? [settings, { ...settings, ats: 'off' }] : [settings];
  const ports: readonly GuestPort[] = profile.name.startsWith('qemu-') ? guestPorts : ['root-port'];
  return ports.flatMap((port) => variants.map((one): Knobs => ({ port, settings: one })));
}

/** Header bytes a guest does not write: IDs, status, class, header type, subsystem IDs, list pointer, pin. */
const comparedHeader: readonly number[] = [0, 1, 2, 3, 6, 8, 9, 0xa, 0xb, 0xe, 0x2c, 0x2d, 0x2e, 0x2f, 0x34, 0x3d];

function rangesThatDiffer(predicted: ConfigSpace, guest: ConfigSpace): readonly ByteRange[] {
  const ranges: { offset: number; length: number }[] = [];
  const note = (at: number): void => {
    const last = ranges.at(-1);
    if (last !== undefined && last.offset + last.length === at) last.length += 1;
    else ranges.push({ offset: at, length: 1 });
  };
  for (const at of comparedHeader) if (predicted.u8(at) !== guest.u8(at)) note(at);
  const both = Math.min(predicted.size, guest.size);
  for (let at = 0x40; at < both; at += 1) if (predicted.u8(at) !== guest.u8(at)) note(at);
  if (predicted.size !== guest.size) ranges.push({ offset: both, length: Math.abs(predicted.size - guest.size) });
  return ranges;
}
