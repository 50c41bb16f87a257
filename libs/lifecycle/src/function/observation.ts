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

/** What the host told of a function beside its bytes. */
export interface ToldFacts {
  readonly kernel: ObservedKernel;
  /** The firmware as the host names it: an update of it may change any byte. */
  readonly firmware: string | null;
  readonly iommu: IommuFacts;
  readonly sriov: SriovFacts;
}

/** Everything one look at a function told: complete, so that no later decision needs the hardware. */
export interface Observation extends ToldFacts {
  /** The captured bytes, in base64. */
  readonly configSpace: string;
  readonly configSpaceDigest: Digest;
}

export const Observation = {
  of(
    space: ConfigSpace, facts: Omit<ToldFacts, 'firmware'> & Partial<Pick<ToldFacts, 'firmware'>>,
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

  /** The bytes of one look under what the host told at another. */
  under(
    { kernel, firmware, iommu, sriov }: ToldFacts,
    { configSpace, configSpaceDigest }: Pick<Observation, 'configSpace' | 'configSpaceDigest'>,
  ): Observation {
    return { configSpace, configSpaceDigest, kernel, firmware, iommu, sriov };
  },

  /** The recorded bytes as a config space. They were one when they were recorded: anything else throws. */
  configSpace(observation: Observation): ConfigSpace {
    const space = ConfigSpace.from(Buffer.from(observation.configSpace, 'base64'));
    if (!space.ok) throw new Error(`a recorded config space has ${space.refusal.sizeBytes} bytes`);
    return space.value;
  },
};
