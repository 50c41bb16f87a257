import { extendedSizeBytes, extendedSpaceAt } from '@cadastre/config-space';
import { ends, type GuestImage } from '../guest-image.js';
import { numberOf } from '../knobs.js';
import { type Outcome, starts } from '../prediction.js';
import { type Stage } from '../vmm-profile.js';
import { endOfSpacePasid, extendedId, type ExtendedItem, headerAt, pasidBytes, pasidRegisters,
  walkExtended } from './extended-list.js';
import { type QemuTraits } from './qemu-traits.js';
import { nextStart } from './standard-list.js';

/** Bits 31:22, which QEMU takes for the next pointer; the two below come from the hardware (observed 14). */
const nextMask = 0xffc00000;

/** Rebuilds the extended list without what is dropped, then makes PASID (Q9..Q21). */
export function showQemuExtended(image: GuestImage, stage: Stage, traits: QemuTraits): Outcome {
  const { original } = image;
  if (!original.hasExtendedSpace || original.u32(extendedSpaceAt) === 0) {
    if (traits.makesPasid && stage.host.pasid !== null && stage.host.pasid.widthBits > 0) {
      image.report('pasid-not-made', 'Q9', 'no extended list: none is begun for PASID', null, 'D');
    }
    return starts;
  }
  const walk = walkExtended(original);
  const kept: ExtendedItem[] = [];
  for (const item of walk.items) {
    if (isDropped(image, item, stage, traits)) {
      image.report('capability-hidden', item.id === extendedId.ats ? 'observed 11' : 'Q11',
        `ID 0x${item.id.toString(16)} is dropped; its header stays readable`, item.offset);
      continue;
    }
    const room = nextStart(walk.items, item.offset, extendedSizeBytes) - item.offset;
    if (room < pasidBytes) return ends('aborts', 'Q12', `${room} bytes at ${item.offset}: an assertion wants 8`, 'D');
    if (item.id === extendedId.rebar) rewriteRebar(image, item.offset);
    kept.push(item);
  }
  if (walk.ends !== 'properly') return endOfList(walk.ends);
  linkExtended(image, kept);
  makePasid(image, stage, traits, walk.items);
  return starts;
}

function isDropped(image: GuestImage, { id, offset }: ExtendedItem, stage: Stage, traits: QemuTraits): boolean {
  if (id === 0 || id === extendedId.sriov || id === extendedId.ari) return true;
  if (id === extendedId.ats) return traits.hasAtsSetting && stage.settings['ats'] === 'off';
  return id === extendedId.rebar && (traits.rebar === 'dropped' || !sizesAreOffered(image, offset));
}

function rebarEntries(image: GuestImage, at: number): readonly number[] {
  const count = (image.u32(at + 8) >>> 5) & 7;
  return Array.from({ length: count }, (_, index) => at + 4 + 8 * index).filter((entry) => entry + 8 <= image.size);
}

const activeSize = (image: GuestImage, entry: number): number => (image.u32(entry + 4) >>> 8) & 0x1f;

/** 1 MB to 512 GB (reading D6). */
function sizesAreOffered(image: GuestImage, at: number): boolean {
  return rebarEntries(image, at).every((entry) => activeSize(image, entry) <= 19);
}

function rewriteRebar(image: GuestImage, at: number): void {
  for (const entry of rebarEntries(image, at)) {
    image.put(entry, 4, (1 << (4 + activeSize(image, entry))) >>> 0, 'observed 8');
    image.put(entry + 4, 4, 0, 'observed 8', 0xffff0000);
  }
}

/** Q10 and Q13: the head is emulated whole, of other headers the next pointer. */
function linkExtended(image: GuestImage, kept: readonly ExtendedItem[]): void {
  const [first] = kept;
  if (first?.offset !== extendedSpaceAt) image.put(extendedSpaceAt, 4, ((first?.offset ?? 0) << 20) >>> 0, 'Q10');
  kept.forEach(({ id, version, offset }, index) => {
    const next = ((kept[index + 1]?.offset ?? 0) << 20) >>> 0;
    if (offset === extendedSpaceAt) image.put(offset, 4, (id | (version << 16) | next) >>> 0, 'Q10');
    else image.put(offset, 4, next, 'Q13', nextMask);
  });
}

function makePasid(
  image: GuestImage, { host, settings, viommuPasid }: Stage, { makesPasid }: QemuTraits,
  physical: readonly ExtendedItem[],
): void {
  const pinned = numberOf(settings['x-vpasid-cap-offset']) ?? 0;
  if (!makesPasid || host.pasid === null || host.pasid.widthBits === 0 || !viommuPasid) {
    if (pinned !== 0) image.report('pasid-not-made', 'Q14', 'no width from iommufd, or no vIOMMU with PASID');
    return;
  }
  const own = physical.find(({ id }) => id === extendedId.pasid);
  if (own !== undefined) {
    image.report('pasid-of-the-hardware', 'K14', 'the host kernel shows the physical PASID: none is made', own.offset);
    return;
  }
  const offset = pinned === 0 ? endOfSpacePasid : pinned;
  if (pinned === 0) image.report('implicit-offset', 'Q15', 'x-vpasid-cap-offset is not set: 0xff8', offset);
  // The list a guest would walk, which begins at 0x100 whatever is there.
  const list = guestList(image);
  if (offset % 4 !== 0 || offset < extendedSpaceAt || offset + pasidBytes > extendedSizeBytes
    || list.some((one) => one.offset === offset)) {
    image.report('pasid-refused', 'Q16', `0x${offset.toString(16)} cannot be: the VM starts without PASID`, offset);
    image.report('pasid-not-made', 'Q21', 'a message on stderr, nothing else', offset);
    return;
  }
  const before = list.findLastIndex((_, index) => list.slice(0, index + 1).every((one) => one.offset <= offset));
  const after = list[before + 1];
  const previous = list[before];
  reportCovered(image, offset, physical);
  if (previous !== undefined) image.put(previous.offset, 4, (offset << 20) >>> 0, 'Q17', nextMask);
  image.put(offset, 4, (0x0001001b | ((after?.offset ?? 0) << 20)) >>> 0, 'Q19');
  image.put(offset + 4, 4, pasidRegisters(host.pasid), 'Q19');
  image.emulated.push({ offset, length: pasidBytes, rule: 'Q14' });
  image.report('pasid-made', 'Q14', `PASID of ${host.pasid.widthBits} bits at 0x${offset.toString(16)}`, offset);
  if (list.length === 1 && previous?.id === 0) {
    image.report('pasid-behind-stub', 'Q18', 'the only capability, behind a stub', offset);
  }
}

function guestList(image: GuestImage): readonly ExtendedItem[] {
  const list: ExtendedItem[] = [];
  for (let at: number = extendedSpaceAt; at >= extendedSpaceAt && !list.some((one) => one.offset === at);) {
    const item = headerAt(image, at);
    list.push(item);
    at = item.next;
  }
  return list;
}

/** What the check of Q16 does not look at: bodies, and headers it runs into. */
function reportCovered(image: GuestImage, offset: number, physical: readonly ExtendedItem[]): void {
  const header = physical.find((one) => one.offset > offset && one.offset < offset + pasidBytes);
  if (header !== undefined) {
    image.report('header-destroyed', 'reading D7', `PASID runs into the header at ${header.offset}`, header.offset);
  }
  if ([0, 4].some((at) => image.original.u32(offset + at) !== 0)) {
    image.report('registers-covered', 'Q16', 'bytes that are not zero read as PASID now', offset);
  }
}

/** Observed 16: 11.1 looks for ATS in the list as the hardware has it, even where the guest has none. */
export function walksRawList(image: GuestImage): Outcome {
  const { original } = image;
  if (!original.hasExtendedSpace || original.u32(extendedSpaceAt) === 0) return starts;
  const { items, ends: end } = walkExtended(original);
  if (end === 'properly' || items.some(({ id }) => id === extendedId.ats)) return starts;
  return endOfList(end);
}

/** Ends of a device that the list as the hardware has it brings about. */
function endOfList(kind: 'loops' | 'below-space'): Outcome {
  return kind === 'loops'
    ? ends('hangs', 'observed 16', 'the extended list loops: QEMU never returns')
    : ends('aborts', 'observed 16', 'an extended next pointer below 0x100 fails an assertion');
}
