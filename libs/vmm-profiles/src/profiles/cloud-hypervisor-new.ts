import { cloudHypervisorProfile } from '../families/cloud-hypervisor.js';

export const cloudHypervisorNew = cloudHypervisorProfile({
  name: 'cloud-hypervisor-new',
  source: 'pci/src/vfio.rs after the change that makes capabilities, and its text',
  generation: 'new',
});
