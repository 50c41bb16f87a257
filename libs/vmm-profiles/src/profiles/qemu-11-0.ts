import { qemuProfile } from '../families/qemu.js';

export const qemu110 = qemuProfile({
  name: 'qemu-11.0',
  evidence: 'read',
  source: 'hw/vfio/pci.c at 06b38473cda8, hw/pci/pcie.c at 49a2bed19b0e',
  rebar: 'rewritten',
  powerManagementBytes: 8,
  cliqueOffsets: [0xc8, 0xd4],
  makesPasid: true,
  hasAtsSetting: false,
  exemptsVendorBytes: true,
});
