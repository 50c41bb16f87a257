import {
  ConfigOffset, type ConfigPatch, type Header, type SriovRole, type Survey, type VfioFunction,
} from '@cadastre/config-space';
import { identityOf, type LayoutIdentity } from './layout-document.js';

/** VF Device ID. PCIe Base Specification, "SR-IOV Extended Capability". */
const vfDeviceIdAt = 0x1a;
/** What both IDs of a VF read. PCIe Base Specification, "VF Vendor ID" and "VF Device ID". */
const hiddenId = 0xffff;

/** Vendor and device ID by which drivers find a VF. */
export interface VfIds {
  readonly vendorId: number;
  readonly deviceId: number;
}

/** The IDs a PF gives its VFs: its own vendor, and the device ID of its SR-IOV capability. */
export function vfIdsOf(family: Survey | null | undefined): VfIds | undefined {
  const sriov = family?.capabilities.find(({ space, id }) => space === 'extended' && id === 0x10);
  // One that the end of the space cuts tells nothing.
  if (!family || !sriov || sriov.length < vfDeviceIdAt + 2) return undefined;
  return { vendorId: family.space.u16(0), deviceId: family.space.u16(sriov.offset + vfDeviceIdAt) };
}

/**
 * What vfio-pci knows of a function beside its bytes. A VF's IDs read all-ones; the kernel takes them from its PF
 * (K15).
 * @param family the survey of a VF's PF; null where it is not known, or the function is no VF
 */
export function vfioFunctionOf(role: SriovRole, family: Survey | null): VfioFunction {
  const ids = role === 'vf' ? vfIdsOf(family) : undefined;
  return ids ? { role, ids } : { role };
}

/** True of a VF whose IDs read all-ones: its own bytes do not tell what it is. */
export function hidesIds({ vendorId }: Pick<Header, 'vendorId'>): boolean {
  return vendorId === hiddenId;
}

/**
 * The header by which rows of data are matched with a function: of a VF with the IDs its PF gives it. While the PF is
 * not known, the vendor is taken for that of the subsystem, which a VF has from its PF, and its device for none; so a
 * row that names devices is not about it.
 */
export function headerAsBound(header: Header, family: Survey | null | undefined): Header {
  const ids = vfIdsOf(family);
  if (ids) return { ...header, ...ids };
  return hidesIds(header) ? { ...header, vendorId: header.subsystemVendorId ?? hiddenId } : header;
}

/** What a guest's driver binds by: of a VF with the IDs its PF gives it, all-ones while the PF is not known. */
export function identityAsBound({ space }: Survey, family: Survey | null | undefined): LayoutIdentity {
  return { ...identityOf(space), ...vfIdsOf(family) };
}

/** Shows a VF's IDs where a guest reads them, as the kernel does (K15). None where the bytes have them already. */
export function idPatches({ space }: Survey, ids: VfIds | undefined): readonly ConfigPatch[] {
  const at = ConfigOffset.from(0);
  if (!ids || !at.ok) return [];
  const value = (ids.vendorId | (ids.deviceId << 16)) >>> 0;
  return space.u32(0) === value ? [] : [{ offset: at.value, mask: 0xffffffff, value }];
}

/** A survey of a VF whose space has these IDs: nothing else in a survey depends on them. */
export function surveyWithIds(survey: Survey, ids: VfIds): Survey {
  const space = survey.space.patched(idPatches(survey, ids));
  return { ...survey, space, header: { ...survey.header, ...ids } };
}
