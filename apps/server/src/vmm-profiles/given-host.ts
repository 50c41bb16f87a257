import { type HostKernel } from '@cadastre/config-space';
import { vfioFunctionOf } from '@cadastre/device-layout';
import { type ObservedKernel } from '@cadastre/lifecycle';
import { type HostFacts, hostKernelOf, type KernelTaken, type PasidFacts } from '@cadastre/vmm-profiles';
import { type GivenFunction } from '../layouts/given-function.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { type PredictDto } from './vmm-profiles.dto.js';

/** The kernel of the host: that of the request, else the one the function was observed on. */
export function givenKernel(
  asked: ObservedKernel | null | undefined, { kernel: observed }: GivenFunction,
): KernelTaken {
  const named = asked ?? observed;
  if (!named) throw EdgeProblem.field('/kernel', null, 'release and flavour', 'the function is not of the ledger');
  return hostKernelOf(named);
}

/** What is guessed about a kernel, in words; nothing where the name is one that was looked at. */
export function assumedOf({ assumed, kernel: { flavour } }: KernelTaken): readonly string[] {
  return assumed ? [`the kernel flavour is taken for ${flavour}`] : [];
}

/** What of the host changes what a guest sees. */
export function givenHost(
  kernel: HostKernel, given: GivenFunction, pasid: PasidFacts | null, told: PredictDto,
): HostFacts {
  const { barSizesBytes, hasInterrupt } = told;
  const about = { ...vfioFunctionOf(given.role, given.physicalFunction?.survey ?? null),
    hasInterrupt: hasInterrupt ?? true };
  return {
    kernel, about, pasid, atsSupported: given.iommu?.atsSupported ?? true,
    ...(barSizesBytes ? { barSizesBytes } : {}),
  };
}

/** What the IOMMU has; null where nobody told. */
export function pasidOf({ iommu }: GivenFunction): PasidFacts | null {
  return iommu && { widthBits: iommu.maxPasidLog2, execute: iommu.exec, privileged: iommu.priv };
}
