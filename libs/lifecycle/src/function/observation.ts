import { type Bdf, ConfigSpace, type SriovRole } from '@cadastre/config-space';
import { Digest, type IommuFacts } from '@cadastre/device-layout';

/**
 * The host kernel as the host names it, since it decides which capabilities user space sees (facts K1-K16). The
 * flavour is whatever was said; `HostKernel` of config-space is one whose view is known.
 */
export interface ObservedKernel {
  readonly release: string;
  readonly flavour: string;
}

/** Place in an SR-IOV family; `pf` is the physical function of a VF on the same host, when it is known. */
export interface SriovFacts {
  readonly role: SriovRole;
  readonly pf: Bdf | null;
}

/** Everything one look at a function told: complete, so that no later decision needs the hardware. */
export interface Observation {
  /** The captured bytes, in base64. */
  readonly configSpace: string;
  readonly configSpaceDigest: Digest;
  readonly kernel: ObservedKernel;
  /** The firmware as the host names it: an update of it may change any byte. */
  readonly firmware: string | null;
  readonly iommu: IommuFacts;
  readonly sriov: SriovFacts;
}

export const Observation = {
  of(
    space: ConfigSpace,
    facts: {
      readonly kernel: ObservedKernel; readonly firmware?: string | null; readonly iommu: IommuFacts;
      readonly sriov: SriovFacts;
    },
  ): Observation {
    const bytes = space.toBytes();
    return {
      configSpace: Buffer.from(bytes).toString('base64'),
      configSpaceDigest: Digest.of(bytes),
      kernel: facts.kernel,
      firmware: facts.firmware ?? null,
      iommu: facts.iommu,
      sriov: facts.sriov,
    };
  },

  /** The recorded bytes as a config space. They were one when they were recorded: anything else throws. */
  configSpace(observation: Observation): ConfigSpace {
    const space = ConfigSpace.from(Buffer.from(observation.configSpace, 'base64'));
    if (!space.ok) throw new Error(`a recorded config space has ${space.refusal.sizeBytes} bytes`);
    return space.value;
  },
};
