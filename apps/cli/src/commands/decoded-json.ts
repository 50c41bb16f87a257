import { type Capture, survey } from '@cadastre/config-space';

/** One function of schema `cadastre.decode/1`; all numbers are numbers. */
export function decodedJson({ address, title, space }: Capture): object {
  const { header, capabilities, gaps, findings } = survey(space);
  return {
    address,
    title,
    vendorId: header.vendorId,
    deviceId: header.deviceId,
    class: header.classCode,
    revision: header.revision,
    size: space.size,
    capturedBytes: space.capturedBytes,
    capabilities: capabilities.map(({ space: list, id, version, offset, length, row, opaque }) =>
      ({ space: list, id, version, offset, length, opaque, name: row.name, title: row.title })),
    gaps,
    findings,
  };
}
