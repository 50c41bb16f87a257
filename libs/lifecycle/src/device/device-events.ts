import {
  type Digest, type GuestDifference, type Layout, type LayoutIdentity, type PasidGrant, type PasidRequest,
  type Placement, type PlacementPolicy, type SyntheticName, type SyntheticRegisters, type ToldRoom, type Verdict,
  type VmmDecision,
} from '@cadastre/device-layout';
import { type Observation } from '../function/observation.js';
import { type DeviceId, type MigrationId, type VmId } from '../name.js';
import { type FunctionKey } from '../stream-key.js';
import { type PasidEvent } from './pasids/pasid-events.js';

/** The event that holds the bytes a layout was decided over. */
export interface ObservationReference {
  readonly stream: string;
  readonly revision: number;
  readonly configSpaceDigest: Digest;
}

/** Capabilities whose registers are those of the hardware, and after a reset where it has none. */
export const grantedAsTheyAre = ['pri', 'ats', 'acs'] as const satisfies readonly SyntheticName[];
/** Capabilities whose content only a request tells. */
export const grantedAsRequested = ['dsn', 'dvsec', 'nvidia-clique', 'vmd-shadow'] as const satisfies
  readonly SyntheticName[];

/** One capability a VM asked for. */
export type CapabilityRequest =
  | ({ readonly name: 'pasid' } & PasidRequest)
  | { readonly name: (typeof grantedAsTheyAre)[number] }
  | { readonly name: (typeof grantedAsRequested)[number]; readonly registers: SyntheticRegisters };

/** What a capability request came to. */
export type CapabilityGrant =
  | ({ readonly name: 'pasid' } & PasidGrant)
  | { readonly name: Exclude<CapabilityRequest['name'], 'pasid'>; readonly registers: SyntheticRegisters };

/** The published persona a device wears. */
export interface PersonaReference {
  readonly name: string;
  readonly version: number;
  readonly digest: Digest;
}

/** A layout with what it was decided from, and the names of itself and of what the guest then reads. */
export interface DecidedLayout extends Layout {
  readonly requested: readonly CapabilityRequest[];
  readonly policy: PlacementPolicy;
  readonly told: readonly ToldRoom[];
  readonly persona: PersonaReference | null;
  readonly observation: ObservationReference;
  /** What was known of the VF's physical function; null when nothing was, or the function is no VF. */
  readonly physicalFunction: ObservationReference | null;
  /** Of the function as it was observed. */
  readonly identity: LayoutIdentity;
  readonly grants: readonly CapabilityGrant[];
  /** Places of earlier layouts of this device that nothing else may take: a guest may have cached them. */
  readonly reserved: readonly Placement[];
  /** What the VMM makes of it; null when none was named. */
  readonly vmm: VmmDecision | null;
  readonly layoutDigest: Digest;
  readonly guestConfigSpaceDigest: Digest;
}

/** A capability of the layout that the guest did not find. */
export interface MissingPlacement {
  readonly name: SyntheticName;
  readonly offset: number;
  /** Where it found one of the same ID; null where it found none. */
  readonly insteadOffset: number | null;
}

/** A difference and the rule of the VMM's profile that wrote the expected bytes. */
export interface ExplainedDifference extends GuestDifference {
  readonly rule: string | null;
}

/** Where a guest may come from. */
export interface GuestOrigin {
  readonly profile: string;
  readonly revision: number;
  readonly kernels: readonly string[];
  readonly port: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** The profile and settings that come nearest to what a guest shows; of several, those nearest to what was decided. */
export interface LikelyCause extends GuestOrigin {
  /** Bytes it does not explain. */
  readonly differingBytes: number;
  /** The rule that speaks of the first thing that is not as it was decided; null where none does. */
  readonly rule: string | null;
  readonly says: string;
  /** Others that explain as much. */
  readonly ties: readonly GuestOrigin[];
}

/** What a guest's bytes were held against: the prediction for its VMM, or without one the layout itself. */
export type ComparedWith = 'prediction' | 'layout';

/** Where an imported device comes from: a stream of the ledger that wrote the bundle. */
export interface ImportSource {
  readonly stream: string;
  readonly revision: number;
  /** The last position of that ledger the bundle tells of. */
  readonly position: number;
  readonly function: FunctionKey;
}

/** The facts of stream `device-<vm>/<device>`. Frozen: a change of shape is a new schema and an upcast. */
export type DeviceEvent =
  | { readonly type: 'DeviceAttached'; readonly schema: 1; readonly vm: VmId; readonly device: DeviceId;
      readonly function: FunctionKey;
      /** The how-manieth hot-plug of the VM it was, as the control plane counts; null for a device of a cold start. */
      readonly hotPlugOrder: number | null }
  /** Complete: replay needs the observation's bytes and these patches, no planner and no profile. */
  | ({ readonly type: 'LayoutDecided'; readonly schema: 1 } & DecidedLayout)
  /** Somebody read the config space inside the guest: it is what was decided. */
  | { readonly type: 'LayoutConfirmed'; readonly schema: 1; readonly comparedWith: ComparedWith;
      readonly guestConfigSpaceDigest: Digest; readonly tolerated: readonly GuestDifference[] }
  /** It is not. The bytes are kept: they are the evidence. */
  | { readonly type: 'LayoutDiverged'; readonly schema: 1; readonly comparedWith: ComparedWith;
      readonly guestConfigSpace: string; readonly guestConfigSpaceDigest: Digest;
      readonly missing: readonly MissingPlacement[]; readonly differences: readonly ExplainedDifference[];
      readonly cause: LikelyCause | null }
  /** Its VM runs on another function now. `LayoutDecided` follows: the same places over the bytes there. */
  | { readonly type: 'DeviceMoved'; readonly schema: 1; readonly from: FunctionKey; readonly to: FunctionKey;
      readonly migration: MigrationId }
  /**
   * Another ledger's bundle brought the device: its newest layout and the bytes it stands on, so that it is rebuilt
   * here from this event alone. `function` is the one of this ledger it is attached to, and then `LayoutDecided`
   * follows: the same places over the bytes there. Null for a device that was detached.
   */
  | { readonly type: 'LayoutImported'; readonly schema: 1; readonly vm: VmId; readonly device: DeviceId;
      readonly bundle: Digest; readonly source: ImportSource; readonly layout: DecidedLayout;
      readonly observed: Observation;
      /** Whether a guest had found the layout. */
      readonly found: boolean;
      readonly function: FunctionKey | null; readonly hotPlugOrder: number | null; readonly verdict: Verdict | null;
      /** Of the plugins that were heard there. */
      readonly plugins: readonly Digest[] }
  | { readonly type: 'DeviceDetached'; readonly schema: 1; readonly function: FunctionKey;
      readonly reason: string | null }
  | PasidEvent;
