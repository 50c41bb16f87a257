import { type VmmProfile } from '../vmm-profile.js';

/** What differs between versions of QEMU's vfio-pci. */
export interface QemuTraits {
  readonly name: string;
  readonly evidence: VmmProfile['evidence'];
  readonly source: string;
  /** Since 8.1 it is rewritten (observed 8). */
  readonly rebar: 'dropped' | 'rewritten';
  /** Bytes it gives PM since 10.0; before, PM takes the room up to the next start (reading P1). */
  readonly powerManagementBytes: number | undefined;
  /** Places of a GPUDirect clique, the best first: D4 came with 8.1 (Q7). */
  readonly cliqueOffsets: readonly number[];
  /** It makes a PASID capability and has x-vpasid-cap-offset (Q14, Q15). */
  readonly makesPasid: boolean;
  /** It has `ats`, and looks for ATS in the list as the hardware has it, on every bus (observed 11, 16). */
  readonly hasAtsSetting: boolean;
  /** `skip-vsc-check` is there and on, as it is since 9.1 (Q22). */
  readonly exemptsVendorBytes: boolean;
}
