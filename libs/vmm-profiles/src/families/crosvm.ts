import { announcesCapabilities, extendedSizeBytes, extendedSpaceAt, readHeader } from '@cadastre/config-space';
import { ends, type GuestImage } from '../guest-image.js';
import { type Outcome, starts } from '../prediction.js';
import { extendedId, walkExtended } from './extended-list.js';
import { nextStart, walkStandard } from './standard-list.js';

const hidden: readonly number[] = [extendedId.ari, extendedId.sriov, extendedId.rebar];
/** What a hidden head reads: "Configuration Access Correlation", an ID nobody looks for (X4). */
const hiddenHead = 0x000c;

/** X1..X5. */
export function showCrosvm(image: GuestImage): Outcome {
  const { original } = image;
  const { vendorId, classCode } = readHeader(original);
  for (let at = 0x10; at < 0x28; at += 4) {
    const low = image.u8(at);
    if ((low & 1) === 1) image.put(at, 4, 0, 'X5');
    // The upper half of a 64-bit BAR is an address, whatever its lowest bit.
    if ((low & 7) === 4) at += 4;
  }
  if (vendorId === 0x8086 && classCode >>> 16 === 0x03) image.put(0x51, 1, 0, 'X5');
  if (!announcesCapabilities(readHeader(original))) return starts;
  const standard = walkStandard(original, 0xfc, true);
  const powerManagement = standard.items.find(({ id }) => id === 0x01);
  if (powerManagement) image.leaveOpen(powerManagement.offset + 2, 6, 'X5');
  const msix = standard.items.find(({ id }) => id === 0x11);
  if (msix) image.leaveOpen(msix.offset + 2, 2, 'X5');
  if (!standard.items.some(({ id }) => id === 0x10) || !original.hasExtendedSpace) return starts;
  const walk = walkExtended(original);
  if (walk.ends === 'loops') return ends('hangs', 'X2', 'the extended list loops: it is collected for ever', 'D');
  const items = walk.items.filter(({ offset }) => original.u32(offset) !== 0);
  for (const { id, offset } of items) {
    if (!hidden.includes(id)) continue;
    const end = nextStart(items, offset, extendedSizeBytes);
    image.clear(offset, end, 'X3');
    image.emulated.push({ offset, length: end - offset, rule: 'X3' });
    image.report('capability-hidden', 'X1', `ID 0x${id.toString(16)}: everything up to the next start reads 0`, offset);
  }
  const kept = items.filter(({ id }) => !hidden.includes(id)).sort((a, b) => a.offset - b.offset);
  const [first] = kept;
  if (items.some(({ id, offset }) => offset === extendedSpaceAt && hidden.includes(id))) {
    image.put(extendedSpaceAt, 4, (hiddenHead | ((first?.offset ?? 0) << 20)) >>> 0, 'X4');
  }
  kept.forEach(({ offset }, index) => {
    image.put(offset, 4, ((kept[index + 1]?.offset ?? 0) << 20) >>> 0, 'X2', 0xfff00000);
  });
  return starts;
}
