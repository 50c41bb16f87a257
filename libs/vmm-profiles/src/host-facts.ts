import { type HostKernel, type VfioFunction } from '@cadastre/config-space';

/** What the host's IOMMU says of a function (IOMMU_GET_HW_INFO of iommufd). */
export interface PasidFacts {
  /** `out_max_pasid_log2`: 0 means no PASID. */
  readonly widthBits: number;
  readonly execute: boolean;
  readonly privileged: boolean;
}

/** Everything about the host that changes what a guest sees and that the config space does not tell. */
export interface HostFacts {
  readonly kernel: HostKernel;
  readonly about?: VfioFunction;
  /** Null without iommufd. */
  readonly pasid: PasidFacts | null;
  /** Bytes of BAR 0..5, 0 where there is none. What depends on them is not predicted when they are not given. */
  readonly barSizesBytes?: readonly number[];
  /** Bytes of a page of the host; 4096 when not given. */
  readonly pageBytes?: number;
  /** Whether the IOMMU says through iommufd that the function can use ATS; true when not given. */
  readonly atsSupported?: boolean;
}
