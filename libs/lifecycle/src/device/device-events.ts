import {
  type Digest, type Layout, type PasidGrant, type PasidRequest, type PlacementPolicy, type SyntheticName,
  type SyntheticRegisters,
} from '@cadastre/device-layout';
import { type DeviceId, type VmId } from '../name.js';
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
export type GrantedAsItIs = (typeof grantedAsTheyAre)[number];

/** One capability a VM asked for. */
export type CapabilityRequest =
  | ({ readonly name: 'pasid' } & PasidRequest)
  | { readonly name: GrantedAsItIs };

/** What a capability request came to. */
export type CapabilityGrant =
  | ({ readonly name: 'pasid' } & PasidGrant)
  | { readonly name: GrantedAsItIs; readonly registers: SyntheticRegisters };

/** The published persona a device wears. */
export interface PersonaReference {
  readonly name: string;
  readonly version: number;
  readonly digest: Digest;
}

/** A layout with the names of itself and of what the guest then reads. */
export interface DecidedLayout extends Layout {
  readonly observation: ObservationReference;
  /** What was known of the VF's physical function; null when nothing was, or the function is no VF. */
  readonly physicalFunction: ObservationReference | null;
  readonly grants: readonly CapabilityGrant[];
  readonly layoutDigest: Digest;
  readonly guestConfigSpaceDigest: Digest;
}

/** The facts of stream `device-<vm>/<device>`. Frozen: a change of shape is a new schema and an upcast. */
export type DeviceEvent =
  | { readonly type: 'DeviceAttached'; readonly schema: 1; readonly vm: VmId; readonly device: DeviceId;
      readonly function: FunctionKey; readonly requested: readonly CapabilityRequest[];
      readonly policy: PlacementPolicy; readonly persona: PersonaReference | null }
  /** Complete: replay needs the observation's bytes and these patches, no planner. */
  | ({ readonly type: 'LayoutDecided'; readonly schema: 1 } & DecidedLayout)
  | { readonly type: 'DeviceDetached'; readonly schema: 1; readonly function: FunctionKey;
      readonly reason: string | null }
  | PasidEvent;
