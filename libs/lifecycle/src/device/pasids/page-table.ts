/** Flags of a hardware page table. Linux iommufd uAPI, `IOMMU_HWPT_ALLOC`. */
export const hwptFlags = ['nest-parent', 'dirty-tracking', 'fault-id-valid', 'pasid'] as const;
export type HwptFlag = (typeof hwptFlags)[number];

/** What an attach was asked for: `pt_id` as it went in, and which kind of object that is. */
export interface RequestedPageTable {
  readonly kind: 'ioas' | 'hwpt';
  readonly ptId: number;
}

/** What a PASID is attached to, as `VFIO_DEVICE_ATTACH_IOMMUFD_PT` was asked and answered (Linux vfio uAPI). */
export interface PageTable {
  readonly requested: RequestedPageTable;
  /** `pt_id` as it came back: the hwpt, which for an IOAS the kernel chose. */
  readonly resultingPtId: number;
  readonly hwptFlags: readonly HwptFlag[];
  /** The fault object its page requests go to. */
  readonly faultId: number | null;
}
