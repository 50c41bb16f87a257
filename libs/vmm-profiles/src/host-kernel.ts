import { type HostKernel } from '@cadastre/config-space';

/** A kernel whose view of a function is known, and whether that is a guess about the one that was named. */
export interface KernelTaken {
  readonly kernel: HostKernel;
  /** The flavour is none that was ever looked at; what upstream shows was taken for it (K14). */
  readonly assumed: boolean;
}

/**
 * The known kernel that one stands for which a host names in its own words.
 * @param flavour `upstream` or `nvidia`; of anything else the NVIDIA trees are told by their name
 */
export function hostKernelOf(given: { readonly release: string; readonly flavour: string }): KernelTaken {
  const { release, flavour } = given;
  const isNvidia = /nvidia/i.test(flavour) || /-nvidia\b/i.test(release);
  const known = isNvidia ? 'nvidia' : 'upstream';
  return { kernel: { release, flavour: known }, assumed: flavour !== known };
}
