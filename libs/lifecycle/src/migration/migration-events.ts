import { type Digest, type Verdict, type VmmRequest } from '@cadastre/device-layout';
import { type DecidedLayout, type ObservationReference } from '../device/device-events.js';
import { type DeviceId, type HostName, type MigrationId, type VmId } from '../name.js';
import { type FunctionKey } from '../stream-key.js';

/** One device of a planned migration. Complete: what is shown at the target needs no second decision. */
export interface PlannedMove {
  readonly device: DeviceId;
  readonly source: FunctionKey;
  /** What the guest has now. */
  readonly sourceLayoutDigest: Digest;
  /** Revisions of the device's stream: of the decision of that layout, and of the guest that read otherwise. */
  readonly decidedAt: number | null;
  readonly divergedAt: number | null;
  readonly target: FunctionKey;
  /** The observation of the target the verdict was made over. */
  readonly observation: ObservationReference;
  readonly verdict: Verdict;
  /** The layout over the target's bytes: every place as it was. */
  readonly layout: DecidedLayout;
}

/** The facts of stream `migration-<vm>/<id>`. Frozen: a change of shape is a new schema and an upcast. */
export type MigrationEvent =
  | { readonly type: 'MigrationPlanned'; readonly schema: 1; readonly vm: VmId; readonly id: MigrationId;
      readonly host: HostName; readonly vmm: VmmRequest | null; readonly moves: readonly PlannedMove[] }
  /** The functions at the target are claimed, and the VM is held. */
  | { readonly type: 'MigrationPrepared'; readonly schema: 1 }
  /** The devices are at the target, the functions at the source are free, and so is the VM. */
  | { readonly type: 'MigrationCompleted'; readonly schema: 1 }
  /** Nothing moved; what was claimed is free again. */
  | { readonly type: 'MigrationAborted'; readonly schema: 1; readonly reason: string | null };
