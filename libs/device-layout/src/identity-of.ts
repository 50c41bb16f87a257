import { type ConfigSpace, readHeader } from '@cadastre/config-space';
import { type LayoutIdentity } from './layout-document.js';

/** The fields of a header by which drivers know a function. */
export function identityOf(space: ConfigSpace): LayoutIdentity {
  const { vendorId, deviceId, subsystemVendorId, subsystemId, classCode, revision } = readHeader(space);
  const headerType = space.u8(0x0e);
  return { vendorId, deviceId, subsystemVendorId, subsystemId, classCode, revision, headerType };
}
