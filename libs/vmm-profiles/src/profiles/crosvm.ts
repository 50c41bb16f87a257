import { showCrosvm } from '../families/crosvm.js';
import { extendedId } from '../families/extended-list.js';
import { type VmmProfile } from '../vmm-profile.js';

export const crosvm: VmmProfile = {
  name: 'crosvm',
  revision: 1,
  evidence: 'read',
  source: 'devices/src/pci/vfio_pci.rs at f1e797a68',
  reads: 'vfio-pci',
  hides: {
    ids: [extendedId.ari, extendedId.sriov, extendedId.rebar],
    leaves: 'zeros up to the next start, list sorted; at 0x100 a header with ID 0x000c',
  },
  onlyWithPm: false,
  pasid: { kind: 'none' },
  makesStandard: [],
  settings: {},
  migration: { kind: 'unknown', rule: null, confidence: 'U', says: 'not read' },
  exemptsVendorBytes: false,
  failureMode: 'none',
  forwardsSyntheticWrites: false,
  show: showCrosvm,
};
