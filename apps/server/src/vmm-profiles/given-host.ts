import { type HostKernel, type VfioFunction } from '@cadastre/config-space';
import { type ObservedKernel } from '@cadastre/lifecycle';
import { type HostFacts, hostKernelOf, type KernelTaken, type PasidFacts } from '@cadastre/vmm-profiles';
import { type GivenFunction } from '../layouts/given-function.js';
import { EdgeProblem } from '../problems/edge-problem.js';

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
  kernel: HostKernel, given: GivenFunction, barSizesBytes: readonly number[] | null | undefined,
): HostFacts {
  return { kernel, about: aboutOf(given), pasid: pasidOf(given), ...(barSizesBytes ? { barSizesBytes } : {}) };
}

function pasidOf({ iommu }: GivenFunction): PasidFacts | null {
  return iommu && { widthBits: iommu.maxPasidLog2, execute: iommu.exec, privileged: iommu.priv };
}

/** VF Device ID. PCIe Base Specification, "SR-IOV Extended Capability". */
const vfDeviceIdAt = 0x1a;

/** A VF's IDs read all-ones; the kernel takes them from its PF (K15). */
function aboutOf({ role, physicalFunction }: GivenFunction): VfioFunction {
  const family = physicalFunction?.survey;
  const sriov = family?.capabilities.find(({ space, id }) => space === 'extended' && id === 0x10);
  if (!family || !sriov) return { role };
  const { space } = family;
  return { role, ids: { vendorId: space.u16(0), deviceId: space.u16(sriov.offset + vfDeviceIdAt) } };
}
