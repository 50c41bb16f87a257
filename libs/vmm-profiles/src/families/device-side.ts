import { type ByteRange, ByteRange as Ranges, extendedSpaceAt, type Survey, survey } from '@cadastre/config-space';
import { ends, type GuestImage } from '../guest-image.js';
import { type Outcome, starts } from '../prediction.js';

const standardIds: readonly number[] = [0x01, 0x05, 0x09, 0x10, 0x11];
/** Extended capabilities the library takes (L1). */
export const extendedIds: readonly number[] = [0x0003, 0x000b];

/**
 * libvfio-user (L1, L2, L4, L5): the device side lays out the space itself, each capability at a place it names.
 * Here the question is whether the library takes that layout.
 */
export function takeExplicitPlaces(image: GuestImage): Outcome {
  const { capabilities, space, findings }: Survey = survey(image.original);
  const below = findings.find((one) => one.kind === 'pointer-below-space');
  if (below !== undefined) return ends('refused', 'L2', `nothing can be at 0x${below.pointer.toString(16)}`);
  const taken: ByteRange[] = [];
  for (const { space: list, id, offset, length } of capabilities) {
    const isExtended = list === 'extended';
    // A list that begins elsewhere needs an empty header at 0x100, where every walk begins.
    if (isExtended && id === 0 && offset === extendedSpaceAt) return ends('refused', 'L2');
    if (!(isExtended ? extendedIds : standardIds).includes(id)) {
      return ends('refused', 'L1', `${list} capability 0x${id.toString(16)} is not supported`);
    }
    if (offset + length >= space.size) {
      return ends('refused', 'L5', `it ends at 0x${(offset + length).toString(16)}: the last byte cannot be used`);
    }
    const range = { offset, length };
    const touched = taken.find((one) => Ranges.end(one) >= offset && Ranges.end(range) >= one.offset);
    if (touched !== undefined) {
      const only = Ranges.end(touched) === offset || Ranges.end(range) === touched.offset;
      if (only) image.report('automatic-place', 'L3', 'placed by the library itself it may lie there', offset);
      return ends('refused', only ? 'L4' : 'L2',
        `it ${only ? 'touches' : 'lies over'} the one at 0x${touched.offset.toString(16)}`);
    }
    taken.push(range);
  }
  return starts;
}
