import { type Capability, type Capture, decode, type SriovRole, survey } from '@cadastre/config-space';

export interface JsonOptions {
  /** Only the capability that holds this offset. */
  readonly at?: number;
  /** What the function is in its SR-IOV family. */
  readonly role?: SriovRole;
}

/** One function of schema `cadastre.decode/1`; all numbers are numbers. */
export function decodedJson({ address, title, space }: Capture, { at, role }: JsonOptions = {}): object {
  const { header, capabilities, unlinked, owners, gaps, findings } = survey(space, role);
  return {
    address,
    title,
    vendorId: header.vendorId,
    deviceId: header.deviceId,
    class: header.classCode,
    revision: header.revision,
    size: space.size,
    capturedBytes: space.capturedBytes,
    capabilities: capabilities.filter((one) => holds(one, at)).map((capability) => {
      const { space: list, id, version, offset, length, row, opaque } = capability;
      const fields = decode(space, capability);
      return { space: list, id, version, offset, length, opaque, name: row.name, title: row.title, fields };
    }),
    unlinked: unlinked.map(({ id, version, offset, length, strong, row }) =>
      ({ id, version, offset, length, strong, name: row.name })),
    owners: owners.runs().map(({ offset, length, owner, capability }) =>
      ({ offset, length, owner, ...(capability ? { name: capability.row.name } : {}) })),
    gaps,
    findings,
  };
}

/** Whether a capability is the one asked for; every one when nothing is asked. */
export function holds({ offset, length }: Capability, at: number | undefined): boolean {
  return at === undefined || (offset <= at && at < offset + length);
}
