/** What the host's IOMMU can do for a function, as `IOMMU_GET_HW_INFO` reports it (Linux iommufd uAPI). */
export interface IommuFacts {
  /** `out_max_pasid_log2`: PASID width in bits, 0 when PASID is not supported. */
  readonly maxPasidLog2: number;
  /** `IOMMU_HW_CAP_PCI_PASID_EXEC`. */
  readonly exec: boolean;
  /** `IOMMU_HW_CAP_PCI_PASID_PRIV`. */
  readonly priv: boolean;
  /** The absence of `IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED`. */
  readonly atsSupported: boolean;
}
