import { type ConfigSpace } from './config-space.js';

/** The common header, 0x00..0x3f. PCI Local Bus Specification, "Configuration Space Organization". */
export interface Header {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly command: number;
  readonly status: number;
  readonly revision: number;
  /** Base class, subclass and programming interface: 24 bits. */
  readonly classCode: number;
  /** 0 function, 1 bridge, 2 CardBus bridge; others are reserved. */
  readonly type: number;
  readonly multiFunction: boolean;
  /** Type 0 only; bridges keep theirs in a capability. */
  readonly subsystemVendorId: number | null;
  readonly subsystemId: number | null;
}

/** Status register bit 4, "Capabilities List". */
const capabilitiesListBit = 0x10;

export function readHeader(space: ConfigSpace): Header {
  const headerType = space.u8(0x0e);
  const type = headerType & 0x7f;
  return {
    vendorId: space.u16(0x00),
    deviceId: space.u16(0x02),
    command: space.u16(0x04),
    status: space.u16(0x06),
    revision: space.u8(0x08),
    classCode: space.u32(0x08) >>> 8,
    type,
    multiFunction: (headerType & 0x80) !== 0,
    subsystemVendorId: type === 0 ? space.u16(0x2c) : null,
    subsystemId: type === 0 ? space.u16(0x2e) : null,
  };
}

/** Where the standard list's head pointer is: 0x34, in CardBus bridges 0x14. */
export function capabilitiesPointerAt(header: Header): number {
  return header.type === 2 ? 0x14 : 0x34;
}

export function announcesCapabilities(header: Header): boolean {
  return (header.status & capabilitiesListBit) !== 0;
}
