import { type CapabilitySpace } from '@cadastre/config-space';
import { extendedIds } from './families/device-side.js';
import { type Confidence, confidenceOf, type RuleName } from './rules.js';
import { type StandardMade, standardPlace } from './standard-made.js';
import { vmmAbilities } from './vmm-abilities.js';
import { type VmmProfile } from './vmm-profile.js';

/** A capability somebody wants the guest to find and the hardware does not show there. */
export interface WantedPlacement {
  readonly space: CapabilitySpace;
  readonly id: number;
  /** As layouts name it, which tells the vendor-specific ones apart: `PASID`, `nvidia-clique`. */
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  /** What its setting takes, where that is not the offset. */
  readonly value?: number | null;
}

/** A wish the VMM does not fulfil, and what the guest finds instead; null where it finds none. */
export interface UnmetPlacement {
  readonly wanted: WantedPlacement;
  readonly kind: 'never-made' | 'never-shown' | 'end-of-space-only' | 'place-fixed' | 'place-not-known'
    | 'offset-refused' | 'device-refused' | 'wanted-twice';
  readonly rule: RuleName;
  readonly confidence: Confidence;
  readonly says: string;
  readonly insteadOffset: number | null;
}

export interface SettingsAnswer {
  /** What makes it so, as far as settings do. */
  readonly settings: Readonly<Record<string, string>>;
  readonly unmet: readonly UnmetPlacement[];
  /** Where the VMM puts PASID when nobody says where. Reported whether or not it matters this time. */
  readonly implicitDefault: ImplicitDefault | null;
  /** What else must hold for the capability to be there at all. */
  readonly needs: readonly string[];
}

export interface ImplicitDefault {
  readonly offset: number;
  /** What moves it; null where nothing does. */
  readonly setting: string | null;
  readonly says: string;
}

const pasid = 0x1b;
const pasidBytes = 8;

/**
 * What a control plane must set so that a VMM makes the capabilities that are wanted.
 * @param wanted capabilities the VMM has to make; those of the hardware need no setting and are not passed
 * @param starts where standard capabilities of the hardware start: some VMMs step aside for them
 */
export function settingsFor(
  wanted: readonly WantedPlacement[], profile: VmmProfile, starts: readonly number[] = [],
): SettingsAnswer {
  const judged = wanted.map((one, index) => {
    const earlier = wanted.slice(0, index).some(({ space, id, name }) =>
      space === one.space && id === one.id && name === one.name);
    const problem = earlier && profile.pasid.kind !== 'document'
      ? problemOf(one, 'wanted-twice', neverMade(one, profile), 'one is made of each kind', null)
      : unmetBy(one, profile, starts);
    return { one, problem };
  });
  const abilities = vmmAbilities(profile);
  return {
    // One that is made elsewhere is made all the same: that is what the guest sees instead.
    settings: Object.fromEntries(judged.flatMap(({ one, problem }) =>
      (problem === undefined || problem.kind === 'place-fixed' ? settingOf(one, profile) : []))),
    unmet: judged.flatMap(({ problem }) => problem ?? []),
    implicitDefault: abilities.implicitOffset === null ? null : {
      offset: abilities.implicitOffset, setting: abilities.setting,
      says: abilities.setting === null ? 'PASID is there and no setting moves it'
        : `without ${abilities.setting} PASID is there`,
    },
    needs: wanted.flatMap((one) => needsOf(one, profile)),
  };
}

function isPasid({ space, id }: WantedPlacement): boolean {
  return space === 'extended' && id === pasid;
}

function madeBy({ makesStandard }: VmmProfile, { space, name }: WantedPlacement): StandardMade | undefined {
  return space === 'standard' ? makesStandard.find((one) => one.name === name) : undefined;
}

function settingOf(wanted: WantedPlacement, profile: VmmProfile): readonly (readonly [string, string])[] {
  const { value } = wanted;
  const setting = madeBy(profile, wanted)?.setting;
  if (setting && value !== undefined && value !== null) return [[setting, String(value)]];
  return profile.pasid.kind === 'setting' && isPasid(wanted)
    ? [[profile.pasid.setting, `0x${wanted.offset.toString(16)}`]] : [];
}

function problemOf(
  wanted: WantedPlacement, kind: UnmetPlacement['kind'], rule: RuleName, says: string, insteadOffset: number | null,
  confidence: Confidence = confidenceOf(rule),
): UnmetPlacement {
  return { wanted, kind, rule, confidence, says, insteadOffset };
}

function unmetBy(
  wanted: WantedPlacement, profile: VmmProfile, starts: readonly number[],
): UnmetPlacement | undefined {
  if (profile.pasid.kind === 'document') return undefined;
  if (wanted.space === 'standard') return unmetStandard(wanted, profile, starts);
  const { id, offset } = wanted;
  if (profile.hides.ids.includes(id)) {
    return problemOf(wanted, 'never-shown', profile.because.hides, 'the VMM hides capabilities of this ID', null);
  }
  if (profile.reads === 'device-side' && extendedIds.includes(id)) return undefined;
  if (profile.pasid.kind === 'none' || id !== pasid || wanted.length !== pasidBytes) {
    return problemOf(wanted, 'never-made', neverMade(wanted, profile), saysOfHardware(wanted), null);
  }
  switch (profile.pasid.kind) {
    case 'not-known':
      return problemOf(wanted, 'place-not-known', 'O5', 'no setting, and where it goes is not known', null, 'U');
    case 'end-of-space':
      return offset === 0xff8 ? undefined
        : problemOf(wanted, 'end-of-space-only', 'C8', 'PASID is at 0xff8 and no setting moves it', 0xff8);
    case 'setting': {
      const fits = offset % 4 === 0 && offset >= 0x100 && offset + pasidBytes <= 0x1000;
      return fits ? undefined
        : problemOf(wanted, 'offset-refused', 'Q16', 'the VM would start without PASID, and say so on stderr', null);
    }
  }
}

function unmetStandard(
  wanted: WantedPlacement, profile: VmmProfile, starts: readonly number[],
): UnmetPlacement | undefined {
  const made = madeBy(profile, wanted);
  if (made === undefined) {
    return problemOf(wanted, 'never-made', neverMade(wanted, profile), saysOfHardware(wanted), null);
  }
  const place = standardPlace(made, starts);
  if (place === wanted.offset) return undefined;
  if (place === undefined) {
    return problemOf(wanted, 'device-refused', made.rule, 'both its places are taken: the device is refused', null);
  }
  return problemOf(wanted, 'place-fixed', made.rule, 'its place is fixed and no setting moves it', place);
}

/** What a guest finds of a capability no VMM makes: that of the hardware, and here is why. */
const onlyOfHardware: Readonly<Record<number, string>> = {
  0x03: ' (K8)',
  0x0d: ' (K9)',
  0x0f: ' (K8), unless ats=off of QEMU 11.1 drops it',
  0x13: ' (K8)',
  0x23: ' (K9), with kernels before 6.4 none',
};

function saysOfHardware({ space, id }: WantedPlacement): string {
  const why = space === 'extended' ? onlyOfHardware[id] : undefined;
  return `the VMM makes no such capability${why === undefined ? '' : `: a guest finds that of the hardware${why}`}`;
}

function neverMade({ space }: WantedPlacement, { because }: VmmProfile): RuleName {
  return space === 'standard' ? because.makesNoStandard : because.makesNoExtended;
}

function needsOf(wanted: WantedPlacement, profile: VmmProfile): readonly string[] {
  const placing = profile.pasid;
  if (placing.kind === 'document') return ['the layout document: the VMM shows what it says'];
  if (wanted.name === 'vmd-shadow' && madeBy(profile, wanted)) {
    return ['the same BARs on every host: the shadow holds their addresses (Q8)'];
  }
  return isPasid(wanted) ? pasidNeeds[placing.kind] : [];
}

const pasidNeeds: { readonly [K in Exclude<VmmProfile['pasid']['kind'], 'document'>]: readonly string[] } = {
  'setting': ['iommufd on the host, whose IOMMU reports a PASID width', 'a vIOMMU with PASID: arm-smmuv3 with accel=on'
    + ' and ssidsize', 'a read-back: an offset that is refused does not stop the VM (Q21)'],
  'end-of-space': ['platform iommufd=on', 'PM and PCI Express both in the standard list (C4)',
    'a guest that takes an integrated endpoint: link registers read 0 (C9)'],
  'not-known': ['pasid on every port above (O6)', 'a vSMMU that advertises it (O7)'],
  'none': [],
};
