import { extendedSpaceAt } from '@cadastre/config-space';
import { ends, type GuestImage } from '../guest-image.js';
import { numberOf } from '../knobs.js';
import { type Outcome, starts } from '../prediction.js';
import { type Stage } from '../vmm-profile.js';
import { portType, presentAsIntegrated } from './express.js';
import { checkMsix, type GuestMsix } from './qemu-msix.js';
import { type QemuTraits } from './qemu-traits.js';
import { StandardClaims } from './standard-claims.js';
import { nextStart, type StandardItem, type StandardWalk } from './standard-list.js';

interface VirtualCapability {
  readonly offset: number;
  readonly bytes: readonly number[];
  readonly rule: 'Q7' | 'Q8';
}

/** What one capability becomes while the list is rebuilt from its tail. */
interface Rebuild {
  readonly image: GuestImage;
  readonly stage: Stage;
  readonly traits: QemuTraits;
  readonly msix: GuestMsix | undefined;
  readonly claims: StandardClaims;
}

const standardId = { pm: 0x01, msi: 0x05, express: 0x10, msix: 0x11 } as const;

/**
 * Rebuilds the standard list (Q2..Q8). QEMU goes down the list and adds on its way back: virtual capabilities first,
 * then those of the hardware from the last to the first, so each meets the bytes taken by those behind it.
 */
export function showQemuStandard(
  image: GuestImage, stage: Stage, traits: QemuTraits, walk: StandardWalk, msix: GuestMsix | undefined,
): Outcome {
  if (walk.loops) return ends('hangs', 'observed 16', 'the standard list loops: QEMU never returns');
  const virtual = virtualCapabilities(image, stage, traits, walk.items);
  if ('kind' in virtual) return virtual;
  const claims = new StandardClaims();
  let head = 0;
  for (const { offset, bytes, rule } of virtual) {
    const taken = claims.take(offset, bytes.length);
    if (taken !== undefined) return overlap('a virtual capability', offset, bytes.length, taken, virtual);
    image.putBytes(offset, bytes, rule);
    image.put(offset + 1, 1, head, 'Q3');
    image.protect(offset, bytes.length);
    image.emulated.push({ offset, length: bytes.length, rule });
    image.report('virtual-capability', 'Q6', `a virtual capability at 0x${offset.toString(16)}`, offset);
    head = offset;
  }
  const rebuild = { image, stage, traits, msix, claims };
  for (const item of walk.items.toReversed()) {
    const behind = nextStart(walk.items, item.offset, extendedSpaceAt);
    const claimed = nextStart(virtual, item.offset, behind) - item.offset;
    image.emulate(item.offset + 1, 1);
    const size = addCapability(rebuild, item, claimed, virtual, walk.items);
    if (typeof size !== 'number') return size;
    if (size === 0) continue;
    const taken = claims.take(item.offset, size);
    if (taken !== undefined && size > claimed) {
      image.report('real-size', 'reading P1', `it takes ${size} bytes, whatever starts behind it`, item.offset);
    }
    if (taken !== undefined) return overlap(`capability 0x${item.id.toString(16)}`, item.offset, size, taken, virtual);
    // Written now, not at the end: what a later capability puts over it (Q5) is what a guest finds.
    image.store(item.offset, 1, item.id, 'Q3');
    image.put(item.offset + 1, 1, head, 'Q3');
    image.protect(item.offset, size);
    head = item.offset;
  }
  image.put(0x34, 1, head, 'Q3');
  return starts;
}

/** What QEMU does last, with both lists built: MSI and MSI-X are its own, as after a reset. */
export function resetInterrupts(image: GuestImage, items: readonly StandardItem[]): void {
  const msi = items.find(({ id }) => id === standardId.msi);
  if (msi !== undefined) resetMsi(image, msi.offset);
  const msixAt = items.find(({ id }) => id === standardId.msix)?.offset;
  if (msixAt !== undefined) {
    image.emulate(msixAt, 12);
    // Enable and function mask.
    image.emulate(msixAt + 3, 1, 0xff, 0xc0);
  }
}

/** Q4. Virtual capabilities take their bytes first, so it is the hardware's that does not fit (reading D8). */
function overlap(
  what: string, offset: number, size: number, taken: number, virtual: readonly VirtualCapability[],
): Outcome {
  const [from, at] = [offset, taken].map((one) => `0x${one.toString(16)}`);
  const inVirtual = virtual.some((one) => one.offset === taken && offset >= taken);
  return ends('refused', inVirtual ? 'reading D8' : 'Q4',
    `${what} of ${size} bytes at ${from} overlaps the capability at ${at}`, 'D');
}

/**
 * What a capability of the hardware shows, and the bytes it takes: the room up to the next start (Q2) or, where QEMU
 * knows the structure, its real size (reading P1). 0 when it is dropped.
 */
function addCapability(
  { image, stage, traits, msix }: Rebuild, { id, offset }: StandardItem, claimed: number,
  virtual: readonly VirtualCapability[], items: readonly StandardItem[],
): number | Outcome {
  // Only the first of a kind is emulated; a second one takes its room and shows the hardware.
  const isFirst = items.find((one) => one.id === id)?.offset === offset;
  switch (id) {
    case standardId.msi: return addMsi(image, offset, isFirst);
    case standardId.msix: {
      const wrong = msix === undefined ? undefined : checkMsix(msix);
      if (wrong !== undefined) return wrong;
      if (isFirst) image.put(offset + 2, 2, 0, 'observed 9', 0xf800);
      return 12;
    }
    case standardId.express: {
      const shown = showExpress(image, offset, claimed, stage.port);
      if (shown === 'dropped') reportDropped(image, offset, stage.port);
      return shown === 'dropped' ? 0 : shown === 'kept' ? claimed : shown;
    }
    case standardId.pm: return traits.powerManagementBytes ?? claimed;
    default: {
      const inside = virtual.find((one) => one.offset === offset + claimed);
      if (inside !== undefined) reportMasked(image, offset, inside);
      return claimed;
    }
  }
}

function reportDropped(image: GuestImage, offset: number, port: Stage['port']): void {
  image.report('express-dropped', 'Q5', 'no PCI Express capability on this bus', offset);
  if (port === 'root-bus' && image.original.hasExtendedSpace && image.original.u32(extendedSpaceAt) !== 0) {
    image.report('extended-without-express', 'observed 10', 'the extended list is there all the same', extendedSpaceAt);
  }
}

/** A body that reaches into a virtual capability is cut there, without a word (nvcovered in the captures). */
function reportMasked(image: GuestImage, offset: number, { offset: at, bytes }: VirtualCapability): void {
  const covered = bytes.some((_, index) => image.original.u8(at + index) !== 0);
  if (covered) {
    image.report('registers-covered', 'Q6', `bytes behind 0x${offset.toString(16)} read as the virtual capability`, at);
  }
}

/** MSI is emulated whole; of its control word it has what the hardware can, not what the host set. */
function addMsi(image: GuestImage, at: number, isFirst: boolean): number | Outcome {
  const { control, is64, isMasked } = msiOf(image, at);
  const vectorsLog2 = (control >>> 1) & 7;
  if (vectorsLog2 > 5) {
    return ends('aborts', 'reading P3', `MSI of ${2 ** vectorsLog2} vectors fails an assertion: 32 are the most`);
  }
  if (isFirst) image.put(at + 2, 2, control & 0x018e, 'observed 9');
  return 10 + (is64 ? 4 : 0) + (isMasked ? 10 : 0);
}

function msiOf({ original }: GuestImage, at: number): { control: number; is64: boolean; isMasked: boolean } {
  const control = original.u16(at + 2);
  return { control, is64: (control & 0x80) !== 0, isMasked: (control & 0x100) !== 0 };
}

/** The reset that comes before a guest runs: nothing of what the host programmed is left. */
function resetMsi(image: GuestImage, at: number): void {
  const rule = 'observed 9';
  const { control, is64, isMasked } = msiOf(image, at);
  const data = at + (is64 ? 0x0c : 0x08);
  image.emulate(at, data + (isMasked ? 12 : 2) - at);
  // Enable and the number of vectors; an address of a DWORD.
  image.emulate(at + 2, 1, 0xff, 0x71);
  image.put(at + 4, 4, 0, rule);
  image.emulate(at + 4, 4, 0xffffffff, 0xfffffffc);
  if (is64) {
    image.put(at + 8, 4, 0, rule);
    image.emulate(at + 8, 4, 0xffffffff, 0xffffffff);
  }
  image.put(data, 2, 0, rule);
  image.emulate(data, 2, 0xffff, 0xffff);
  if (!isMasked) return;
  image.put(data + 4, 4, 0, rule);
  image.put(data + 8, 4, 0, rule);
  image.emulate(data + 4, 4, 0xffffffff, 0xffffffff >>> (32 - 2 ** ((control >>> 1) & 7)));
}

/** Q5, in the order QEMU decides. */
function showExpress(image: GuestImage, at: number, size: number, port: Stage['port']): 'kept' | 'dropped' | Outcome {
  const flags = image.u16(at + 2);
  const type = (flags >>> 4) & 0xf;
  if (type !== portType.endpoint && type !== portType.legacyEndpoint && type !== portType.integratedEndpoint) {
    return ends('refused', 'Q5', `assignment of PCIe type 0x${type.toString(16)} devices is not currently supported`);
  }
  if (port === 'pci-bridge') return 'dropped';
  if (port === 'root-bus' && type === portType.legacyEndpoint) return 'dropped';
  if (port === 'root-bus' && type === portType.endpoint) {
    if (size > 16) presentAsIntegrated(image, at, size > 44, 'Q5');
    // Version 1 ends at 0x14; what is cleared behind it belongs to nobody (Q2).
    if (size > 44 && (flags & 0xf) === 1) {
      image.report('gap-cleared', 'Q2', 'registers version 1 does not have read 0 in the gap behind it', at + 44);
    }
    else image.put(at + 2, 2, portType.integratedEndpoint << 4, 'Q5', 0x00f0);
  }
  if (port === 'root-port' && type === portType.integratedEndpoint) {
    image.put(at + 0x02, 2, portType.endpoint << 4, 'Q5', 0x00f0);
    // One lane of 2.5 GT/s (reading D5).
    image.put(at + 0x0c, 4, 0x11, 'Q5');
    image.put(at + 0x10, 2, 0, 'Q5');
  }
  if ((flags & 0xf) === 0) image.put(at + 2, 2, 1, 'Q5', 0x000f);
  return 'kept';
}

const nvidia = 0x10de;
const intel = 0x8086;
const volumeManagementDevices = [0x201d, 0x467f, 0x4c3d, 0x9a0b];

/** In the order QEMU adds them. It asks for the IDs and the class the guest will see (reading P4). */
function virtualCapabilities(
  image: GuestImage, { settings }: Stage, { cliqueOffsets }: QemuTraits, items: readonly StandardItem[],
): readonly VirtualCapability[] | Outcome {
  const [vendorId, deviceId, baseClass] = [image.u16(0x00), image.u16(0x02), image.u8(0x0b)];
  const made: VirtualCapability[] = [];
  if (['x-pci-vendor-id', 'x-pci-device-id', 'x-pci-class-code'].some((name) => settings[name] !== undefined)) {
    image.report('treated-as-set', 'reading P4', 'QEMU treats it as the function the settings make it', 0);
  }
  const clique = numberOf(settings['x-nv-gpudirect-clique']);
  if (clique !== undefined) {
    if (vendorId !== nvidia || baseClass !== 0x03) {
      return ends('refused', 'Q7', 'NVIDIA GPUDirect Clique ID: the function is no NVIDIA display controller');
    }
    const offset = cliqueOffsets.find((place) => items.every((one) => one.offset !== place));
    if (offset === undefined) return ends('refused', 'Q7', 'NVIDIA GPUDirect Clique ID: invalid config space');
    made.push({ offset, bytes: [0x09, 0, 0x08, 0x50, 0x32, 0x50, clique << 3, 0], rule: 'Q7' });
  }
  if (vendorId === intel && volumeManagementDevices.includes(deviceId)) {
    const bars = Array.from({ length: 16 }, (_, index) => image.original.u8(0x18 + index));
    made.push({ offset: 0xe8, bytes: [0x09, 0, 0x18, 0x01, 0x57, 0x44, 0x48, 0x53, ...bars], rule: 'Q8' });
    image.report('host-dependent-content', 'Q8', 'the shadow holds BARs of this host: another host differs', 0xe8, 'D');
  }
  return made;
}
