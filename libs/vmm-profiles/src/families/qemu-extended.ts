import { extendedSizeBytes, extendedSpaceAt } from '@cadastre/config-space';
import { ends, type GuestImage } from '../guest-image.js';
import { numberOf } from '../knobs.js';
import { type Outcome, starts } from '../prediction.js';
import { type RuleName } from '../rules.js';
import { type Stage } from '../vmm-profile.js';
import { endOfSpacePasid, extendedId, type ExtendedItem, headerAt, pasidBytes, pasidRegisters,
} from './extended-list.js';
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
  const items = walkUnbounded(image);
  if (items === undefined) return endless;
  // Q10: the head is emulated whole, and begins as a stub without ID and pointer.
  image.put(extendedSpaceAt, 4, 0, 'Q10');
  image.emulate(extendedSpaceAt, 4, 0xffffffff, 0);
  let previous: number = extendedSpaceAt;
  for (const item of items) {
    const taken = takeExtended(image, item, items, stage, traits);
    if (typeof taken !== 'string') return taken;
    image.emulate(item.offset, 4, nextMask);
    if (taken !== 'kept') continue;
    linkExtended(image, item, previous);
    image.protect(item.offset, nextStart(items, item.offset, extendedSizeBytes) - item.offset);
    previous = item.offset;
  }
  makePasid(image, stage, traits, items);
  return starts;
}

const endless = ends('hangs', 'observed 16', 'the extended list loops: QEMU never returns');

/**
 * The list as QEMU walks it: a pointer below 0x100 is followed like any other, and only a capability that is kept
 * there fails. Undefined when it never ends.
 */
function walkUnbounded(image: GuestImage): readonly ExtendedItem[] | undefined {
  const { original } = image;
  // Below 0x100 it meets what it already made of the function; the command register it changes later.
  const space = { u32: (at: number): number => (at >= extendedSpaceAt || at === 0x04 ? original : image).u32(at) };
  const items: ExtendedItem[] = [];
  const seen = new Set<number>();
  for (let at: number = extendedSpaceAt; at !== 0;) {
    if (seen.has(at)) return undefined;
    seen.add(at);
    const item = headerAt(space, at);
    items.push(item);
    at = item.next;
  }
  return items;
}

/** What becomes of one capability; QEMU drops some and asserts that a kept one is in its place and has 8 bytes. */
function takeExtended(
  image: GuestImage, item: ExtendedItem, items: readonly ExtendedItem[], stage: Stage, traits: QemuTraits,
): 'kept' | 'dropped' | Outcome {
  const { id, offset } = item;
  const drop = (rule: RuleName): 'dropped' => {
    image.report('capability-hidden', rule, `ID 0x${id.toString(16)} is dropped`, offset);
    image.report('header-stays', 'observed 15', 'ID, version and pointer of the dropped header stay readable', offset);
    return 'dropped';
  };
  if (id === 0 || id === extendedId.sriov || id === extendedId.ari) return drop('Q11');
  if (id === extendedId.ats && traits.hasAtsSetting) {
    if (stage.settings['ats'] === 'off') return drop('observed 11');
    if (stage.host.atsSupported === false && stage.host.pasid !== null) {
      if (stage.settings['ats'] !== 'on') return drop('reading P7');
      return ends('refused', 'reading P7', 'ats=on, and the IOMMU says that the function cannot use ATS');
    }
  }
  if (id === extendedId.rebar && (traits.rebar === 'dropped' || !rewriteRebar(image, offset))) {
    return drop('observed 8');
  }
  if (offset < extendedSpaceAt) return belowSpace;
  const room = nextStart(items, offset, extendedSizeBytes) - offset;
  if (room >= pasidBytes) return 'kept';
  return ends('aborts', 'Q12', `${room} bytes at 0x${offset.toString(16)}: an assertion wants 8`, 'D');
}

const belowSpace = ends('aborts', 'observed 16', 'an extended next pointer below 0x100 fails an assertion');

/** Bits of a REBAR control register that stay: size, number of BARs, index (reading P6). */
const rebarControlBits = 0x1fe7;

/**
 * Leaves the active size alone as the one on offer (reading D6), and makes the control register read-only.
 * @returns false at a size outside 1 MB to 512 GB, which drops the capability; entries before it stay rewritten
 */
function rewriteRebar(image: GuestImage, at: number): boolean {
  const count = (image.u32(at + 8) >>> 5) & 7;
  for (let entry = at + 4; entry < at + 4 + 8 * count && entry + 8 <= image.size; entry += 8) {
    const size = (image.u32(entry + 4) >>> 8) & 0x1f;
    if (size > 19) return false;
    image.put(entry, 4, (1 << (4 + size)) >>> 0, 'observed 8');
    image.put(entry + 4, 4, 0, 'observed 8', 0xffff0000);
    image.put(entry + 4, 2, 0, 'reading P6', ~rebarControlBits);
    image.emulate(entry + 4, 4);
  }
  return true;
}

/**
 * Q10 and Q13: of a header QEMU answers for the pointer, of the head for all of it. Written in list order, since a
 * REBAR that says it has more entries than it has room for was written over what is behind it.
 */
function linkExtended(image: GuestImage, { id, version, offset }: ExtendedItem, previous: number): void {
  const header = (id | (version << 16)) >>> 0;
  if (offset === extendedSpaceAt) {
    image.put(offset, 4, header, 'Q10');
    return;
  }
  const reserved = (image.original.u32(offset) >>> 20) & 3;
  if (reserved !== 0) {
    image.report('reserved-bits-shown', 'observed 14', 'two bits of its next pointer come from the hardware', offset);
  }
  // Where such a REBAR made QEMU answer for the whole header, the reserved bits are its own, and 0.
  const isCovered = reserved !== 0 && image.ruled.some((one) =>
    one.rule === 'observed 8' && one.offset <= offset + 2 && one.offset + one.length > offset + 2);
  image.store(offset, 4, header, 'Q13', isCovered ? 0x003fffff : 0x000fffff);
  image.put(offset, 4, 0, 'Q13', nextMask);
  image.put(previous, 4, (offset << 20) >>> 0, previous === extendedSpaceAt ? 'Q10' : 'Q13', nextMask);
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
  image.protect(offset, pasidBytes);
  // Enable, execute and privileged enable, whatever of them is supported.
  image.emulate(offset + 6, 1, 0xff, 0x07);
  image.emulated.push({ offset, length: pasidBytes, rule: 'Q14' });
  image.report('pasid-made', 'Q14', `PASID of ${host.pasid.widthBits} bits at 0x${offset.toString(16)}`, offset);
  image.report('place-is-compared', 'Q23', 'a destination that has PASID elsewhere refuses the migration late', offset);
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
    const says = `PASID runs into the header at 0x${header.offset.toString(16)}`;
    image.report('header-destroyed', 'reading D7', says, header.offset);
  }
  if ([0, 4].some((at) => image.original.u32(offset + at) !== 0)) {
    image.report('registers-covered', 'Q16', 'bytes that are not zero read as PASID now', offset);
  }
}

/**
 * Observed 16: 11.1 looks for ATS on every bus; on a conventional one it meets the list as the hardware has it. Each
 * header on the way is asserted to have 8 bytes in the extended space (reading P8).
 */
export function walksRawList(image: GuestImage): Outcome {
  const { original } = image;
  if (!original.hasExtendedSpace || original.u32(extendedSpaceAt) === 0) return starts;
  const seen = new Set<number>();
  for (let at: number = extendedSpaceAt; at !== 0;) {
    if (seen.has(at)) return endless;
    if (at < extendedSpaceAt) return belowSpace;
    if (at > endOfSpacePasid) return ends('aborts', 'reading P8', 'a header in the last 4 bytes fails an assertion');
    seen.add(at);
    const { id, next } = headerAt(original, at);
    if (id === extendedId.ats) return starts;
    at = next;
  }
  return starts;
}
