import { qemuProfile } from '../families/qemu.js';

export const qemu100 = qemuProfile({
  name: 'qemu-10.0',
  evidence: 'observed',
  source: 'Debian 10.0.13 in captures',
  rebar: 'rewritten',
  makesPasid: false,
  hasAtsSetting: false,
  exemptsVendorBytes: true,
});
