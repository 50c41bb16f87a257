import { type VmmProfile } from '../vmm-profile.js';

/** What differs between versions of QEMU's vfio-pci. */
export interface QemuTraits {
  readonly name: string;
  readonly evidence: VmmProfile['evidence'];
  readonly source: string;
  readonly rebar: 'dropped' | 'rewritten';
  /** It makes a PASID capability and has x-vpasid-cap-offset (Q14, Q15). */
  readonly makesPasid: boolean;
  /** It has `ats`, and looks for ATS in the list as the hardware has it, on every bus (observed 11, 16). */
  readonly hasAtsSetting: boolean;
  /** `skip-vsc-check` is there and on, as it is since 9.1 (Q22). */
  readonly exemptsVendorBytes: boolean;
}
