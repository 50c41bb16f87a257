import { type Pasid } from '@cadastre/config-space';
import { type FunctionKey } from '../../stream-key.js';
import { type PageTable, type RequestedPageTable } from './page-table.js';
import { type AskedPasid, type PasidCheck, type PasidPlatform } from './pasid-usability.js';

/** What takes all PASIDs of a device away at once (Linux vfio: unbind, close and reset detach all). */
export const resetCauses = ['unbind', 'close', 'reset'] as const;
export type ResetCause = (typeof resetCauses)[number];
/** Or the device leaves its function: detached from the VM, or migrated. */
export type DetachCause = ResetCause | 'device-detach' | 'migration';

/** Facts of a device stream while the device is attached. Frozen: a change of shape is a new schema and an upcast. */
export type PasidEvent =
  /** `physicalFunction` counts the device among its users; null when the function is in no SR-IOV family. */
  | ({ readonly type: 'PasidEnabled'; readonly schema: 1; readonly platform: PasidPlatform;
      readonly checks: readonly PasidCheck[]; readonly physicalFunction: FunctionKey | null } & AskedPasid)
  | { readonly type: 'PasidDisabled'; readonly schema: 1 }
  | ({ readonly type: 'PasidAttached'; readonly schema: 1; readonly pasid: Pasid } & PageTable)
  /** An attach of what was attached. */
  | ({ readonly type: 'PasidReplaced'; readonly schema: 1; readonly pasid: Pasid;
      readonly replaced: PageTable } & PageTable)
  /** `was` is null when nothing was attached: the kernel says yes to that, too. */
  | { readonly type: 'PasidDetached'; readonly schema: 1; readonly pasid: Pasid; readonly was: PageTable | null }
  /** The kernel refused; everything is as it was. `requested` is null for a detach. */
  | { readonly type: 'PasidOperationFailed'; readonly schema: 1; readonly operation: 'attach' | 'detach';
      readonly pasid: Pasid; readonly requested: RequestedPageTable | null; readonly errno: string }
  /** All at once, and PASID is disabled: so its control register is after a reset. */
  | { readonly type: 'PasidsDetached'; readonly schema: 1; readonly cause: DetachCause;
      readonly count: number }
  /** ATS and PRI are the IOMMU driver's alone: a guest's write never reaches them (requirement R16). */
  | { readonly type: 'AtsEnabled'; readonly schema: 1; readonly by: 'iommu-driver' }
  | { readonly type: 'AtsDisabled'; readonly schema: 1; readonly by: 'iommu-driver' }
  | { readonly type: 'PriEnabled'; readonly schema: 1; readonly by: 'iommu-driver';
      readonly physicalFunction: FunctionKey | null }
  | { readonly type: 'PriDisabled'; readonly schema: 1; readonly by: 'iommu-driver' };
