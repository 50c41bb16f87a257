import { qemuProfile } from '../families/qemu.js';

export const qemu100 = qemuProfile({
  name: 'qemu-10.0',
  evidence: 'observed',
  source: 'Debian 10.0.13 in captures',
  rebar: 'rewritten',
  powerManagementBytes: 8,
  cliqueOffsets: [0xc8, 0xd4],
  makesPasid: false,
  hasAtsSetting: false,
  exemptsVendorBytes: true,
});
