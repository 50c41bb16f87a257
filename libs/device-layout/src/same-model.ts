import { type Header } from '@cadastre/config-space';

/** A VF reads so where its vendor and device ID are. PCIe Base Specification, "VF Configuration Space". */
const noId = 0xffff;

type Ids = Pick<Header, 'vendorId' | 'deviceId' | 'subsystemVendorId' | 'subsystemId' | 'classCode'>;

/** Whether two functions are of one model: what is in use in one of them may be in use in the other. */
export function isSameModel(one: Ids, other: Ids): boolean {
  return modelName(one) === modelName(other);
}

/** Vendor and device ID; of a VF, which has neither, what else tells cards apart: its subsystem and its class. */
export function modelName({ vendorId, deviceId, subsystemVendorId, subsystemId, classCode }: Ids): string {
  const hex = (id: number | null, digits = 4): string => (id === null ? '-' : id.toString(16).padStart(digits, '0'));
  return vendorId !== noId ? `${hex(vendorId)}:${hex(deviceId)}`
    : `VF of ${hex(subsystemVendorId)}:${hex(subsystemId)}, class ${hex(classCode, 6)}`;
}
