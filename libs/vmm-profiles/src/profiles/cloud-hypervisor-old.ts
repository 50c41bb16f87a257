import { cloudHypervisorProfile } from '../families/cloud-hypervisor.js';

export const cloudHypervisorOld = cloudHypervisorProfile({
  name: 'cloud-hypervisor-old',
  source: 'pci/src/vfio.rs of main at ae44c2971',
  generation: 'old',
});
