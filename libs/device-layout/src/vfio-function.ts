import { type SriovRole, type Survey, type VfioFunction } from '@cadastre/config-space';

/** VF Device ID. PCIe Base Specification, "SR-IOV Extended Capability". */
const vfDeviceIdAt = 0x1a;

/**
 * What vfio-pci knows of a function beside its bytes. A VF's IDs read all-ones; the kernel takes them from its PF
 * (K15).
 * @param family the survey of a VF's PF; null where it is not known, or the function is no VF
 */
export function vfioFunctionOf(role: SriovRole, family: Survey | null): VfioFunction {
  const sriov = family?.capabilities.find(({ space, id }) => space === 'extended' && id === 0x10);
  if (role !== 'vf' || !family || !sriov) return { role };
  const { space } = family;
  return { role, ids: { vendorId: space.u16(0), deviceId: space.u16(sriov.offset + vfDeviceIdAt) } };
}
