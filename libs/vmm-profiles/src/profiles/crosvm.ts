import { configureCrosvm } from '../configure-other-vmms.js';
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
  settings: {
    'iommu': { kind: 'one-of', values: ['viommu', 'coiommu', 'pkvm-iommu', 'off'], rule: 'X5' },
    'guest-address': {
      kind: 'text', pattern: '[0-9a-f]{2}:[01][0-9a-f][.][0-7]', says: 'an address as 00:1f.7', rule: 'X5',
    },
  },
  migration: { kind: 'unknown', rule: null, confidence: 'U',
    says: 'whether it compares the bytes of the destination, restores its own, or refuses to save was not read' },
  exemptsVendorBytes: false,
  failureMode: 'none',
  forwardsSyntheticWrites: false,
  because: { hides: 'X1', makesNoStandard: 'X1', makesNoExtended: 'X1' },
  ports: ['root-port'],
  configure: configureCrosvm,
  show: showCrosvm,
};
