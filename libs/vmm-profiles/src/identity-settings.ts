/** Header fields that settings show otherwise (Q24): as layouts name them, with their setting and where they are. */
export const identitySettings = [
  { field: 'vendorId', setting: 'x-pci-vendor-id', offset: 0x00, bytes: 2 },
  { field: 'deviceId', setting: 'x-pci-device-id', offset: 0x02, bytes: 2 },
  { field: 'subsystemVendorId', setting: 'x-pci-sub-vendor-id', offset: 0x2c, bytes: 2 },
  { field: 'subsystemId', setting: 'x-pci-sub-device-id', offset: 0x2e, bytes: 2 },
  { field: 'classCode', setting: 'x-pci-class-code', offset: 0x09, bytes: 3 },
] as const;
