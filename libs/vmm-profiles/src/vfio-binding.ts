import { type ConfigSpace, readHeader } from '@cadastre/config-space';
import { ends, type GuestImage } from './guest-image.js';
import { type Outcome, starts } from './prediction.js';
import { walkStandard } from './families/standard-list.js';

const intel = 0x8086;
/** QAT, DSA and IAX with security errata; `disable_denylist` lets them through. One was observed, the rest is read. */
const observedDenied = 0x0b25;
const denied: readonly number[] = [0x0435, 0x0443, 0x19e2, 0x19e3, 0x37c8, 0x37c9, observedDenied, 0x0cfe];
const enhancedAllocation = 0x14;

/** Whether vfio-pci lets a user have the function at all: before that, no VMM's rules matter. */
export function vfioBinding(physical: ConfigSpace, image: GuestImage): Outcome {
  const { type, vendorId, deviceId, classCode } = readHeader(physical);
  if (vendorId === 0xffff && type === 0x7f) {
    return ends('refused', 'reading C8', 'the function does not answer: its header reads all-ones');
  }
  if (type !== 0) return ends('refused', 'reading C8', `vfio-pci binds no function of header type ${type}`);
  if (vendorId === intel && denied.includes(deviceId)) {
    return ends('refused', 'observed 13', 'the function is in the denylist of vfio-pci',
      deviceId === observedDenied ? 'V' : 'D');
  }
  // Linux leaves the BARs of a function without a class as it finds them.
  const hasBars = [0x10, 0x14, 0x18, 0x1c, 0x20, 0x24].some((at) => physical.u32(at) !== 0);
  const isLeft = classCode >>> 8 === 0 && hasBars;
  if (isLeft || walkStandard(physical, 0xfc, true).items.some(({ id }) => id === enhancedAllocation)) {
    image.report('may-not-open', 'observed 13', 'the host may leave its BARs unclaimed, and then it cannot be opened',
      null, 'D');
  }
  return starts;
}
