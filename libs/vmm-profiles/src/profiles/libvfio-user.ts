import { takeExplicitPlaces } from '../families/device-side.js';
import { type VmmProfile } from '../vmm-profile.js';

export const libvfioUser: VmmProfile = {
  name: 'libvfio-user',
  revision: 1,
  evidence: 'read',
  source: 'lib/pci_caps.c at efd091b',
  reads: 'device-side',
  hides: { ids: [], leaves: 'nothing: a device side lays out its own space, of few kinds' },
  onlyWithPm: false,
  pasid: { kind: 'none' },
  makesStandard: [],
  settings: {},
  migration: { kind: 'unknown', rule: null, confidence: 'U',
    says: 'the device side saves and loads its own state, and its client what it adds: neither was read' },
  exemptsVendorBytes: false,
  failureMode: 'refused',
  forwardsSyntheticWrites: false,
  because: { hides: 'L1', makesNoStandard: 'L1', makesNoExtended: 'L1' },
  ports: ['root-port'],
  configure: null,
  show: takeExplicitPlaces,
};
