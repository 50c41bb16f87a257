import { qemuProfile } from '../families/qemu.js';

export const qemu72 = qemuProfile({
  name: 'qemu-7.2',
  evidence: 'observed',
  source: 'Debian 7.2.22 in captures',
  rebar: 'dropped',
  powerManagementBytes: undefined,
  cliqueOffsets: [0xc8],
  makesPasid: false,
  hasAtsSetting: false,
  exemptsVendorBytes: false,
});
