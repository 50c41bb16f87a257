import { obedientVmm, type VmmAbilities } from './vmm-abilities.js';

/** VMMs by name, as far as a verdict needs to know them (facts Q, C, O of the field). */
export const knownVmms = {
  'obedient': obedientVmm,
  'qemu-11': {
    name: 'QEMU 11', placing: { kind: 'offset-knobs', knobs: { pasid: 'x-vpasid-cap-offset' } },
    hides: [0x0000, 0x000e, 0x0010], comparesBytes: true, exemptsVendorBytes: true,
  },
  'cloud-hypervisor': {
    name: 'Cloud Hypervisor', placing: { kind: 'end-of-space', order: ['pasid', 'pri'] },
    hides: [0x000e, 0x0010, 0x0015], comparesBytes: false, exemptsVendorBytes: false,
  },
  'none': {
    name: 'a VMM that adds nothing', placing: { kind: 'none' }, hides: [], comparesBytes: true,
    exemptsVendorBytes: false,
  },
} as const satisfies Record<string, VmmAbilities>;

export function vmmNamed(given: string): VmmAbilities | undefined {
  return (Object.entries(knownVmms) as [string, VmmAbilities][]).find(([name]) => name === given)?.[1];
}
