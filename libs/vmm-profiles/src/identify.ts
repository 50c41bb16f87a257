import { announcesExtendedSpace, type ByteRange, type ConfigSpace, type HostKernel, readHeader, type VfioFunction,
  walkExtendedCapabilities, walkStandardCapabilities } from '@cadastre/config-space';
import { guestView } from './guest-view.js';
import { type PasidFacts } from './host-facts.js';
import { identitySettings } from './identity-settings.js';
import { type GuestPort } from './knobs.js';
import { type VmmProfile } from './vmm-profile.js';
import { profileNamed, vmmProfiles } from './vmm-profiles.js';

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
  /** The size the BAR behind a moved MSI-X table must have; null where it was not moved. */
  readonly movedMsix: BarSize | null;
  /** Bytes this does not explain; those it leaves open count too. */
  readonly differingBytes: number;
  readonly differing: readonly ByteRange[];
}

export interface BarSize {
  readonly bar: number;
  readonly sizeBytes: number;
}

/** How a guest was meant to be shown: of explanations that are as good, the one nearest to it comes first. */
export interface DecidedGuest {
  readonly profile: { readonly name: string; readonly revision: number };
  readonly kernel: HostKernel;
  readonly port: GuestPort;
  /** All that is set. */
  readonly settings: Readonly<Record<string, string>>;
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

/** One thing to try. */
interface Attempt {
  readonly profile: VmmProfile;
  readonly kernel: HostKernel;
  readonly port: GuestPort;
  readonly settings: Readonly<Record<string, string>>;
  readonly movedMsix: BarSize | null;
}

/**
 * Which profile, kernel and knobs explain what a guest shows: the best first. A guest that has run has written to
 * its registers, so a few bytes always differ; the list and the made capabilities decide.
 * @param decided what it was meant to be, tried as well; null where nobody decided anything
 */
export function identify(
  physical: ConfigSpace, guest: ConfigSpace, decided: DecidedGuest | null = null,
): readonly Explanation[] {
  const clues = readClues(physical, guest);
  const found = new Map<string, Explanation>();
  for (const attempt of attempts(clues, decided)) {
    const { profile, kernel, port, settings, movedMsix } = attempt;
    const host = { kernel, pasid: clues.pasid, about: clues.about,
      ...(movedMsix ? { barSizesBytes: sparse(movedMsix) } : {}) };
    const { space, unpredicted } = guestView(physical, profile, { port, settings }, host);
    if (space === null) continue;
    const differing = rangesThatDiffer(space, guest);
    const key = JSON.stringify([profile.name, port, settings, differing]);
    const kernels = found.get(key)?.kernels ?? [];
    const named = kernel === anyKernel ? 'any' : nameOf(kernel);
    found.set(key, {
      profile: profile.name, revision: profile.revision, port, settings, differing, movedMsix,
      kernels: kernels.includes(named) ? kernels : [...kernels, named],
      pasid: makesPasid(profile) ? clues.pasid : null,
      differingBytes: differing.reduce((sum, { length }) => sum + length, 0)
        + (unpredicted.some(({ rule }) => rule === 'O5' || rule === 'reading E1') ? 1 : 0),
    });
  }
  const ranked = [...found.values()].map((one) => ({ one, rank: rankOf(one, decided) }));
  return ranked.sort((a, b) => compareRanks(a.rank, b.rank)).map(({ one }) => one).slice(0, explanationsMax);
}

function attempts(clues: Clues, decided: DecidedGuest | null): readonly Attempt[] {
  const meant = decided === null ? undefined : profileNamed(decided.profile.name, decided.profile.revision);
  return [
    ...(decided !== null && meant?.ok ? [{ ...decided, profile: meant.value, movedMsix: clues.movedMsix }] : []),
    ...vmmProfiles.filter(({ reads }) => reads !== 'device-side').flatMap((profile) =>
      knobsWorthTrying(profile, clues).flatMap((knobs) =>
        (profile.reads === 'vfio-pci' ? kernels : [anyKernel]).map((kernel): Attempt =>
          ({ profile, kernel, ...knobs }))),
    ),
  ];
}

/** Sizes of BARs of which one is known. */
function sparse({ bar, sizeBytes }: BarSize): readonly number[] {
  const sizes: number[] = [];
  sizes[bar] = sizeBytes;
  return sizes;
}

function nameOf({ release, flavour }: HostKernel): string {
  return `${release} ${flavour}`;
}

/** Unexplained bytes first, then how far it is from what was decided, then how much has to be set for it. */
function rankOf(one: Explanation, decided: DecidedGuest | null): readonly number[] {
  const isOther = (differs: boolean): number => (differs ? 1 : 0);
  const far = decided === null ? [] : [
    isOther(one.profile !== decided.profile.name || one.revision !== decided.profile.revision),
    isOther(one.port !== decided.port),
    isOther(!one.kernels.includes(nameOf(decided.kernel))),
    settingsThatDiffer(one.settings, decided.settings).length,
  ];
  return [one.differingBytes, ...far, Object.keys(one.settings).length];
}

function compareRanks(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((rank, index) => rank !== other[index]);
  return (one[at] ?? 0) - (other[at] ?? 0);
}

/** Names of settings that are not the same in both. */
export function settingsThatDiffer(
  one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>,
): readonly string[] {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names.filter((name) => one[name] !== other[name]);
}

function makesPasid({ pasid }: VmmProfile): boolean {
  return pasid.kind !== 'none' && pasid.kind !== 'document';
}

interface Clues {
  readonly pasid: PasidFacts | null;
  readonly pasidOffset: number | null;
  readonly clique: number | null;
  readonly ids: Readonly<Record<string, string>>;
  readonly movedMsix: BarSize | null;
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
  const idAt = (space: ConfigSpace, offset: number, bytes: number): number =>
    (bytes === 2 ? space.u16(offset) : space.u32(offset & ~3) >>> 8);
  const ids = Object.fromEntries(identitySettings
    .filter(({ offset, bytes }) => idAt(guest, offset, bytes) !== idAt(physical, offset, bytes)
      && !(isVf && offset < 4))
    .map(({ setting, offset, bytes }) => [setting, `0x${idAt(guest, offset, bytes).toString(16)}`]));
  const cliqueAt = [0xc8, 0xd4].find((at) => guest.u8(at) === 0x09 && guest.u8(at + 2) === 0x08
    && guest.u16(at + 3) === 0x3250 && guest.u8(at + 5) === 0x50);
  return {
    pasid: made === undefined ? null : {
      widthBits: (register >>> 8) & 0x1f, execute: (register & 2) !== 0, privileged: (register & 4) !== 0,
    },
    pasidOffset: made?.offset ?? null,
    clique: cliqueAt === undefined ? null : (guest.u8(cliqueAt + 6) >>> 3) & 0xf,
    ids,
    movedMsix: movedMsix(physical, guest, standard),
    about: {
      hasInterrupt: guest.u8(0x3d) !== 0,
      ...(isVf ? { role: 'vf', ids: { vendorId: guest.u16(0), deviceId: guest.u16(2) } } : {}),
    },
  };
}

/** A table that is not where the hardware has it tells its BAR, and by its offset how large that was (Q24, C16). */
function movedMsix(
  physical: ConfigSpace, guest: ConfigSpace, standard: readonly { readonly id: number; readonly offset: number }[],
): BarSize | null {
  const at = standard.find(({ id }) => id === 0x11)?.offset;
  if (at === undefined || !guest.captured(at + 4, 4) || guest.u32(at + 4) === physical.u32(at + 4)) return null;
  const table = guest.u32(at + 4);
  return { bar: table & 7, sizeBytes: (table & ~7) >>> 0 };
}

type Worth = Pick<Attempt, 'port' | 'settings' | 'movedMsix'>;

/** The settings that the clues speak for, on every bus the profile tells apart; ATS either way. */
function knobsWorthTrying(profile: VmmProfile, clues: Clues): readonly Worth[] {
  const has = (name: string): boolean => Object.hasOwn(profile.settings, name);
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(clues.ids)) if (has(name)) settings[name] = value;
  const clique = profile.makesStandard.find(({ name }) => name === 'nvidia-clique')?.setting;
  if (clique && clues.clique !== null) settings[clique] = String(clues.clique);
  if (has('x-msix-relocation') && clues.movedMsix !== null && clues.movedMsix.bar < 6) {
    settings['x-msix-relocation'] = `bar${clues.movedMsix.bar}`;
  }
  const { pasid, pasidOffset } = { pasid: profile.pasid, pasidOffset: clues.pasidOffset };
  if (pasid.kind === 'setting' && pasidOffset !== null && pasidOffset !== pasid.implicitOffset) {
    settings[pasid.setting] = `0x${pasidOffset.toString(16)}`;
  }
  const variants = has('ats') ? [settings, { ...settings, ats: 'off' }] : [settings];
  return profile.ports.flatMap((port) => variants.map((one): Worth =>
    ({ port, settings: one, movedMsix: clues.movedMsix })));
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
