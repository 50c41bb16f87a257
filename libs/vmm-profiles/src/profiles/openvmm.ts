import { configureOpenvmm } from '../configure-other-vmms.js';
import { extendedId } from '../families/extended-list.js';
import { showOpenvmm } from '../families/openvmm.js';
import { type VmmProfile } from '../vmm-profile.js';

export const openvmm: VmmProfile = {
  name: 'openvmm',
  revision: 1,
  evidence: 'told',
  source: 'vfio_assigned_device/src/lib.rs of main at 1488a37b7; PASID from the text of the change that adds it',
  reads: 'vfio-pci',
  hides: { ids: [extendedId.sriov, extendedId.ari, extendedId.rebar], leaves: 'a header with ID 0, in the list' },
  onlyWithPm: false,
  pasid: { kind: 'not-known' },
  makesStandard: [],
  settings: { bar0: {
    kind: 'text', pattern: 'host|0x[0-9a-f]{1,16}', says: 'host, or an address as 0x...', rule: 'O6',
  } },
  migration: { kind: 'refuses-to-save', rule: 'O4', confidence: 'V', says: 'the device says that it cannot be saved' },
  exemptsVendorBytes: false,
  failureMode: 'unknown',
  forwardsSyntheticWrites: false,
  because: { hides: 'O2', makesNoStandard: 'O1', makesNoExtended: 'O5' },
  ports: ['root-port'],
  configure: configureOpenvmm,
  show: showOpenvmm,
};
