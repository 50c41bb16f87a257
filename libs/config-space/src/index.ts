export { Bdf, type NotABdf } from './bdf.js';
export { type Branded } from './branded.js';
export { ByteRange } from './byte-range.js';
export { type Capability, occupiedEnd, occupiedRanges } from './capability.js';
export { capabilityCatalogue, capabilityRow } from './catalogue/capability-catalogue.js';
export { type CapabilityRow, type CapabilitySpace, type Legality } from './catalogue/capability-row.js';
export { ConfigOffset, type NotAConfigOffset } from './config-offset.js';
export { type ConfigPatch } from './config-patch.js';
export {
  ConfigSpace, conventionalSizeBytes, extendedSizeBytes, extendedSpaceAt, headerSizeBytes, type NotAConfigSpace,
} from './config-space.js';
export { type Finding } from './finding.js';
export { announcesExtendedSpace, linuxReadsExtendedSpace } from './announces-extended-space.js';
export { announcesCapabilities, capabilitiesPointerAt, type Header, readHeader } from './header.js';
export { type OwnedRun, type Owner, OwnerMap } from './owner-map.js';
export { type NotAPasid, Pasid, pasidWidthBitsMax } from './pasid.js';
export { decode, type DecodedField } from './registers/decode.js';
export { type Access, type Field, type RegisterBlock } from './registers/field.js';
export { registerTables } from './registers/register-tables.js';
export { ok, refuse, type Result } from './result.js';
export { type Gap } from './gaps.js';
export { findCapability, type SriovRole, survey, type Survey } from './survey.js';
export { type Capture, type NotADump } from './text/capture.js';
export { readHexText } from './text/read-hex-text.js';
export { capturesMax, readLspciText, type Salvage, salvageLspciText } from './text/read-lspci-text.js';
export { writeLspciText } from './text/write-lspci-text.js';
export { type UnlinkedCapability } from './unlinked-capabilities.js';
export {
  extendedCapabilitiesMax, type LinkedCapability, standardCapabilitiesMax, walkExtendedCapabilities,
  walkStandardCapabilities,
} from './walk-capabilities.js';
export { type HostKernel, type KernelView, kernelViews } from './vfio-kernels.js';
export { type RawRange, type WriteEffect, type WriteMask } from './vfio-region.js';
export {
  type KernelViewTaken, type VfioFinding, type VfioFunction, vfioView, type VfioView, vfioWrites,
} from './vfio-view.js';
