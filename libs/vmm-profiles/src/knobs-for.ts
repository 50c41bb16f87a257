import { type ConfigurationFragment, configurationOf, type DeviceNames } from './configuration.js';
import { type Confidence, type RuleName } from './rules.js';
import { vmmAbilities } from './vmm-abilities.js';
import { type VmmProfile } from './vmm-profile.js';

/** An extended capability somebody wants the guest to find: ID, and the bytes it takes. */
export interface WantedPlacement {
  readonly id: number;
  readonly offset: number;
  readonly length: number;
}

/** A wish the VMM does not fulfil, and what the guest finds instead; null where it finds none. */
export interface UnmetPlacement {
  readonly wanted: WantedPlacement;
  readonly kind: 'never-made' | 'never-shown' | 'end-of-space-only' | 'place-not-known' | 'offset-refused'
    | 'wanted-twice';
  readonly rule: RuleName;
  readonly confidence: Confidence;
  readonly says: string;
  readonly insteadOffset: number | null;
}

export interface KnobsAnswer {
  readonly profile: { readonly name: string; readonly revision: number };
  /** `exact`: it does so of itself. `obeys-with-knob`: with these settings. `cannot-obey`: whatever is set. */
  readonly verdict: 'exact' | 'obeys-with-knob' | 'cannot-obey';
  readonly settings: Readonly<Record<string, string>>;
  readonly configuration: readonly ConfigurationFragment[];
  readonly unmet: readonly UnmetPlacement[];
  /** Where the VMM puts PASID when nobody says where. Reported whether or not it matters this time. */
  readonly implicitDefault: { readonly offset: number; readonly setting: string | null; readonly says: string } | null;
  /** What else must hold for the capability to be there at all. */
  readonly needs: readonly string[];
}

const pasid = 0x1b;
const pasidBytes = 8;

/**
 * What a control plane must set so that the guest finds what is wanted.
 * @param wanted capabilities the VMM has to make; those of the hardware need no setting and are not passed
 */
export function knobsFor(
  wanted: readonly WantedPlacement[], profile: VmmProfile, names: DeviceNames = {},
): KnobsAnswer {
  const unmet = wanted.flatMap((one, index) => {
    const earlier = wanted.slice(0, index).some(({ id }) => id === one.id);
    const problem = earlier && profile.pasid.kind !== 'document'
      ? problemOf(one, 'wanted-twice', 'Q14', 'one is made of each kind', null) : unmetBy(one, profile);
    return problem === undefined ? [] : [problem];
  });
  const abilities = vmmAbilities(profile);
  const [first] = wanted;
  const setting = profile.pasid.kind === 'setting' ? profile.pasid.setting : undefined;
  const settings: Readonly<Record<string, string>> = setting !== undefined && first !== undefined && unmet.length === 0
    ? { [setting]: `0x${first.offset.toString(16)}` } : {};
  const isSet = Object.keys(settings).length > 0;
  return {
    profile: { name: profile.name, revision: profile.revision },
    verdict: unmet.length > 0 ? 'cannot-obey' : isSet ? 'obeys-with-knob' : 'exact',
    settings,
    configuration: configurationOf(profile, settings, wanted.some(({ id }) => id === pasid), names),
    unmet,
    implicitDefault: abilities.implicitOffset === null ? null : {
      offset: abilities.implicitOffset, setting: abilities.setting,
      says: abilities.setting === null ? 'PASID is there and no setting moves it'
        : `without ${abilities.setting} PASID is there`,
    },
    needs: wanted.length === 0 ? [] : needsOf(profile),
  };
}

function problemOf(
  wanted: WantedPlacement, kind: UnmetPlacement['kind'], rule: RuleName, says: string, insteadOffset: number | null,
  confidence: Confidence = 'V',
): UnmetPlacement {
  return { wanted, kind, rule, confidence, says, insteadOffset };
}

function unmetBy(wanted: WantedPlacement, profile: VmmProfile): UnmetPlacement | undefined {
  const { id, offset, length } = wanted;
  if (profile.pasid.kind === 'document') return undefined;
  if (profile.hides.ids.includes(id)) {
    return problemOf(wanted, 'never-shown', neverShown(profile), 'the VMM hides capabilities of this ID', null);
  }
  if (profile.pasid.kind === 'none' || id !== pasid || length !== pasidBytes) {
    return problemOf(wanted, 'never-made', neverMade(profile), 'the VMM makes no such capability', null);
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

function neverShown({ name }: VmmProfile): RuleName {
  if (name.startsWith('qemu-')) return 'Q11';
  if (name === 'openvmm') return 'O2';
  return name === 'crosvm' ? 'X1' : 'C5';
}

function neverMade({ name }: VmmProfile): RuleName {
  if (name.startsWith('qemu-')) return 'Q14';
  if (name.startsWith('cloud-hypervisor-')) return 'C8';
  if (name === 'openvmm') return 'O5';
  return name === 'crosvm' ? 'X1' : 'L1';
}

function needsOf({ name, pasid: placing }: VmmProfile): readonly string[] {
  if (placing.kind === 'setting') {
    return ['iommufd on the host, whose IOMMU reports a PASID width', 'a vIOMMU with PASID: arm-smmuv3 with accel=on'
      + ' and ssidsize', 'a read-back: an offset that is refused does not stop the VM (Q21)'];
  }
  if (placing.kind === 'end-of-space') {
    return ['platform iommufd=on', 'PM and PCI Express both in the standard list (C4)',
      'a guest that takes an integrated endpoint: link registers read 0 (C9)'];
  }
  return name === 'openvmm' ? ['pasid on every port above (O6)', 'a vSMMU that advertises it (O7)'] : [];
}
