import { type Header } from '@cadastre/config-space';

/** A VF reads so where its vendor and device ID are. PCIe Base Specification, "VF Configuration Space". */
const noId = 0xffff;

type Ids = Pick<Header, 'vendorId' | 'deviceId' | 'subsystemVendorId' | 'subsystemId'>;

/** Whether two functions are of one model: what is in use in one of them may be in use in the other. */
export function isSameModel(one: Ids, other: Ids): boolean {
  return modelName(one) === modelName(other);
}

/** Vendor and device ID; of a VF, which has neither, those of its subsystem. */
export function modelName({ vendorId, deviceId, subsystemVendorId, subsystemId }: Ids): string {
  const hex = (id: number | null): string => (id === null ? '-' : id.toString(16).padStart(4, '0'));
  return vendorId === noId ? `VF ${hex(subsystemVendorId)}:${hex(subsystemId)}` : `${hex(vendorId)}:${hex(deviceId)}`;
}
