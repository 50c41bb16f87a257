import { type Bdf } from '@cadastre/config-space';
import { type Digest, type VerdictReason } from '@cadastre/device-layout';
import { type DeviceId, type HostName, type MigrationId, type VmId } from '../name.js';
import { type DeviceKey } from '../stream-key.js';
import { type ToldFacts, type Observation } from './observation.js';

/** Capabilities a VF has none of: it uses those of its PF (Linux `drivers/pci/ats.c`), so their users are counted. */
export const sharedCapabilities = ['pasid', 'pri'] as const;
export type SharedCapability = (typeof sharedCapabilities)[number];

/** The device that held a function, as of a revision of its stream: what its guest saw then. */
export interface Holder extends DeviceKey {
  readonly revision: number;
}

/** A guest on a function when it was looked at, and what it was promised and had no more. */
export interface WatchedGuest extends Holder {
  readonly dangers: readonly VerdictReason[];
}

/** The facts of stream `function-<host>/<address>`. Frozen: a change of shape is a new schema and an upcast. */
export type FunctionEvent =
  /** The first event, and the first after a retirement. */
  | { readonly type: 'FunctionRegistered'; readonly schema: 1; readonly host: HostName; readonly address: Bdf }
  /** `holder` is null when nobody held the function: then there are no `dangers`. */
  | ({ readonly type: 'FunctionObserved'; readonly schema: 1; readonly holder: Holder | null;
      readonly dangers: readonly VerdictReason[] } & Observation)
  /**
   * Somebody looked again and saw the same bytes, and the host told something else of the function. The bytes are in
   * the `FunctionObserved` at `configSpaceRevision` of the same stream. `holder` and `dangers` as there.
   */
  | ({ readonly type: 'HostFactsObserved'; readonly schema: 1; readonly holder: Holder | null;
      readonly dangers: readonly VerdictReason[]; readonly configSpaceDigest: Digest;
      readonly configSpaceRevision: number } & ToldFacts)
  /** Somebody looked again and saw exactly the newest observation. */
  | { readonly type: 'ObservationConfirmed'; readonly schema: 1; readonly configSpaceDigest: Digest }
  /** Not null while it is only kept for a device that is to migrate here; its move claims it again, with null. */
  | { readonly type: 'FunctionClaimed'; readonly schema: 1; readonly vm: VmId; readonly device: DeviceId;
      readonly migration: MigrationId | null }
  | { readonly type: 'FunctionReleased'; readonly schema: 1; readonly vm: VmId; readonly device: DeviceId }
  | { readonly type: 'FunctionRetired'; readonly schema: 1; readonly reason: string | null }
  /** A device of the family uses a capability of this PF; `users` counts it. The first one switches it on. */
  | { readonly type: 'SharedCapabilityUsed'; readonly schema: 1; readonly capability: SharedCapability;
      readonly vm: VmId; readonly device: DeviceId; readonly users: number; readonly first: boolean }
  /** A device uses it no more; `users` are left. The last one switches it off. */
  | { readonly type: 'SharedCapabilityFreed'; readonly schema: 1; readonly capability: SharedCapability;
      readonly vm: VmId; readonly device: DeviceId; readonly users: number; readonly last: boolean };
