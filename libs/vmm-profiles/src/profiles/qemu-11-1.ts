import { qemuProfile } from '../families/qemu.js';

export const qemu111 = qemuProfile({
  name: 'qemu-11.1',
  evidence: 'observed',
  source: 'Debian 11.1.3 in captures; PASID as read in hw/vfio/pci.c',
  rebar: 'rewritten',
  powerManagementBytes: 8,
  cliqueOffsets: [0xc8, 0xd4],
  makesPasid: true,
  hasAtsSetting: true,
  exemptsVendorBytes: true,
});
