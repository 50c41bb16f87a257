import { type Bdf, type KernelView, writeLspciText } from '@cadastre/config-space';
import { Digest } from '@cadastre/device-layout';
import { type GuestPrediction, type VmmProfile } from '@cadastre/vmm-profiles';

/** A profile as data: everything it says of itself. */
export function profileView(profile: VmmProfile): object {
  const {
    name, revision, evidence, source, reads, hides, onlyWithPm, pasid, makesStandard, settings, migration,
    exemptsVendorBytes, failureMode, forwardsSyntheticWrites, because, ports,
  } = profile;
  return {
    name, revision, evidence, source, reads, hides, onlyWithPm, pasid, makesStandard, settings, migration,
    exemptsVendorBytes, failureMode, forwardsSyntheticWrites, because, ports,
  };
}

/** A view of Linux vfio-pci as data: IDs it shows, and what else differs between kernels. */
export function kernelOfView(view: KernelView): object {
  const { name, revision, flavour, evidence, source, expressEndpointBytes, showsDvsec } = view;
  const idsOf = (list: object): readonly number[] => Object.keys(list).map(Number);
  return {
    name, revision, flavour, evidence, source, expressEndpointBytes, showsDvsec,
    shows: { standard: idsOf(view.standard), extended: idsOf(view.extended) },
  };
}

/** A prediction with the guest's bytes in the forms people and programs read. */
export function predictionView({ space, vfio, ruled, ...told }: GuestPrediction, address: Bdf): object {
  return {
    ...told, ruled,
    vfioConfigSpaceDigest: Digest.ofSpace(vfio),
    guestConfigSpace: space && {
      size: space.size, digest: Digest.ofSpace(space),
      lspci: writeLspciText([{ address, title: 'guest view', space }]),
      base64: Buffer.from(space.toBytes()).toString('base64'),
    },
  };
}
