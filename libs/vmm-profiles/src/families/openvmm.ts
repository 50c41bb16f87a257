import { announcesCapabilities, extendedSizeBytes, extendedSpaceAt, readHeader } from '@cadastre/config-space';
import { type GuestImage } from '../guest-image.js';
import { type Outcome, starts } from '../prediction.js';
import { type Stage } from '../vmm-profile.js';
import { extendedId, headerAt } from './extended-list.js';
import { walkStandard } from './standard-list.js';

const hidden: readonly number[] = [extendedId.sriov, extendedId.ari, extendedId.rebar];
/** O3: its own bound. */
const walkMax = 256;

/** O1..O5. */
export function showOpenvmm(image: GuestImage, stage: Stage): Outcome {
  const { original } = image;
  image.put(0x0e, 1, 0, 'O1', 0x80);
  image.leaveOpen(0x10, 24, 'O1');
  image.leaveOpen(0x30, 4, 'O1');
  if (announcesCapabilities(readHeader(original))) {
    const msix = walkStandard(original, 0xfc, true).items.find(({ id }) => id === 0x11);
    if (msix) image.put(msix.offset + 2, 2, 0, 'O1', 0xc000);
  }
  if (!original.hasExtendedSpace) return starts;
  let hasPasid = false;
  let at: number = extendedSpaceAt;
  for (let left = walkMax; ; left -= 1) {
    if (left === 0) {
      image.report('list-cut', 'O3', `after ${walkMax} entries the walk ends, wherever the list goes on`, at);
      break;
    }
    const header = original.u32(at);
    if (header === 0) break;
    const { id } = headerAt(original, at);
    hasPasid ||= id === extendedId.pasid;
    if (hidden.includes(id)) {
      image.put(at, 2, 0, 'O2');
      image.report('capability-hidden', 'O2', `ID 0x${id.toString(16)} reads 0, the rest of the header stays`, at);
    }
    const next = header >>> 20;
    if (next === 0) break;
    if (next < extendedSpaceAt || next % 4 !== 0) {
      image.report('list-given-up', 'O3', `the pointer 0x${next.toString(16)} leads nowhere: a warning`, at);
      break;
    }
    at = next;
  }
  if (stage.host.pasid === null || stage.host.pasid.widthBits === 0) return starts;
  if (!stage.viommuPasid) {
    image.report('pasid-without-viommu', 'O7', 'the vSMMU does not offer PASID: one would be of no use');
  } else if (!hasPasid) {
    image.report('pasid-somewhere', 'O5', 'one PASID capability is appended, at an offset that is not known');
    image.leaveOpen(extendedSpaceAt, extendedSizeBytes - extendedSpaceAt, 'O5');
  }
  return starts;
}
