import { type FailureMode, type MigrationBehaviour } from './prediction.js';
import { generic } from './profiles/generic.js';
import { type StandardMade } from './standard-made.js';
import { type VmmProfile } from './vmm-profile.js';

/** What a planner and a verdict must know of a VMM. Plain data. */
export interface VmmAbilities {
  readonly profile: string;
  readonly revision: number;
  readonly placing: 'pinned-by-setting' | 'end-of-space-only' | 'whole-document' | 'not-known' | 'none';
  /** IDs of the extended capabilities it can make, as it packs them; null when it makes whatever a document says. */
  readonly makes: readonly number[] | null;
  readonly makesStandard: readonly StandardMade[];
  readonly setting: string | null;
  /** Where it puts PASID when nobody says where; null when it has no such place. */
  readonly implicitOffset: number | null;
  /** With PASID made, the function is presented as integrated into the root complex, without a link (C9). */
  readonly integratesWithPasid: boolean;
  /** It hides and makes nothing unless the function lists PM and PCI Express (C4). */
  readonly onlyWithPm: boolean;
  /** Extended capability IDs that a guest never finds, whatever the hardware has. */
  readonly hides: readonly number[];
  readonly failureMode: FailureMode;
  readonly migration: MigrationBehaviour['kind'];
  /** Whether a comparison leaves out what a vendor put into a standard capability (Q22). */
  readonly exemptsVendorBytes: boolean;
  readonly forwardsSyntheticWrites: boolean;
}

const pasid = 0x1b;

export function vmmAbilities(profile: VmmProfile): VmmAbilities {
  const { name, revision, hides, failureMode, migration, forwardsSyntheticWrites, makesStandard } = profile;
  const always = {
    profile: name, revision, hides: hides.ids, failureMode, migration: migration.kind, forwardsSyntheticWrites,
    makesStandard, exemptsVendorBytes: profile.exemptsVendorBytes, onlyWithPm: profile.onlyWithPm,
    integratesWithPasid: false,
    setting: null, implicitOffset: null,
  };
  switch (profile.pasid.kind) {
    case 'none': return { ...always, placing: 'none', makes: [] };
    case 'not-known': return { ...always, placing: 'not-known', makes: [pasid] };
    case 'document': return { ...always, placing: 'whole-document', makes: null };
    case 'end-of-space': return {
      ...always, placing: 'end-of-space-only', makes: [pasid], implicitOffset: 0xff8, integratesWithPasid: true,
    };
    case 'setting': return {
      ...always, placing: 'pinned-by-setting', makes: [pasid], setting: profile.pasid.setting,
      implicitOffset: profile.pasid.implicitOffset,
    };
  }
}

/** A VMM that obeys layout documents: what every layout can be shown by. */
export const obedientVmm: VmmAbilities = vmmAbilities(generic);
