import { readHeader } from '@cadastre/config-space';
import { ends, type GuestImage } from '../guest-image.js';
import { numberOf } from '../knobs.js';
import { type Outcome, starts } from '../prediction.js';
import { type Stage } from '../vmm-profile.js';
import { portType, presentAsIntegrated } from './express.js';
import { nextStart, type StandardItem, walkStandard } from './standard-list.js';

interface VirtualCapability {
  readonly offset: number;
  readonly bytes: readonly number[];
  readonly rule: 'Q7' | 'Q8';
}

/** Rebuilds the standard list: physical capabilities in their order, virtual ones behind them (Q2..Q8). */
export function showQemuStandard(image: GuestImage, stage: Stage): Outcome {
  const { original } = image;
  const walk = walkStandard(original, 0xff, false);
  if (walk.loops) return ends('hangs', 'observed 16', 'the standard list loops: QEMU never returns');
  const virtual = virtualCapabilities(image, stage, walk.items);
  if ('kind' in virtual) return virtual;
  const kept: StandardItem[] = [];
  for (const item of walk.items) {
    const size = nextStart(walk.items, item.offset, 0x100) - item.offset;
    const inside = virtual.find((one) => item.offset >= one.offset && item.offset < one.offset + one.bytes.length);
    if (inside !== undefined) {
      return ends('refused', 'reading D8', `a capability starts inside the virtual one at ${inside.offset}`);
    }
    if (item.id === 0x05) resetMsi(image, item.offset);
    if (item.id === 0x11) image.put(item.offset + 2, 2, 0, 'observed 9', 0xf800);
    if (item.id === 0x10) {
      const shown = showExpress(image, item.offset, size, stage.port);
      if (shown === 'dropped') {
        image.report('express-dropped', 'Q5', 'no PCI Express capability on this bus', item.offset);
        continue;
      }
      if (shown !== 'kept') return shown;
    }
    kept.push(item);
  }
  linkStandard(image, kept, virtual);
  return starts;
}

function linkStandard(
  image: GuestImage, kept: readonly StandardItem[], virtual: readonly VirtualCapability[],
): void {
  for (const { offset, bytes, rule } of virtual) {
    image.putBytes(offset, bytes, rule);
    image.emulated.push({ offset, length: bytes.length, rule });
    image.report('virtual-capability', 'Q6', `a virtual capability at 0x${offset.toString(16)}`, offset);
  }
  const list = [...kept.map(({ offset }) => offset), ...virtual.map(({ offset }) => offset)];
  image.put(0x34, 1, list[0] ?? 0, 'Q3');
  list.forEach((offset, index) => image.put(offset + 1, 1, list[index + 1] ?? 0, 'Q3'));
}

/** MSI is emulated whole and starts as after a reset: what it can, nothing of what the host programmed. */
function resetMsi(image: GuestImage, at: number): void {
  const rule = 'observed 9';
  const control = image.u16(at + 2);
  const is64 = (control & 0x80) !== 0;
  image.put(at + 2, 2, control & 0x018e, rule);
  image.put(at + 4, 4, 0, rule);
  if (is64) image.put(at + 8, 4, 0, rule);
  image.put(at + (is64 ? 0x0c : 0x08), 2, 0, rule);
  if ((control & 0x100) === 0) return;
  image.put(at + (is64 ? 0x10 : 0x0c), 4, 0, rule);
  image.put(at + (is64 ? 0x14 : 0x10), 4, 0, rule);
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

/** In list order: the one added last comes first. */
function virtualCapabilities(
  image: GuestImage, { settings }: Stage, items: readonly StandardItem[],
): readonly VirtualCapability[] | Outcome {
  const { vendorId, deviceId, classCode } = readHeader(image.original);
  const made: VirtualCapability[] = [];
  if (vendorId === intel && volumeManagementDevices.includes(deviceId)) {
    const bars = Array.from({ length: 16 }, (_, index) => image.original.u8(0x18 + index));
    made.push({ offset: 0xe8, bytes: [0x09, 0, 0x18, 0x01, 0x57, 0x44, 0x48, 0x53, ...bars], rule: 'Q8' });
    image.report('host-dependent-content', 'Q8', 'the shadow holds BARs of this host: another host differs', 0xe8, 'D');
  }
  const clique = numberOf(settings['x-nv-gpudirect-clique']);
  if (clique !== undefined) {
    if (vendorId !== nvidia || classCode >>> 16 !== 0x03) {
      return ends('refused', 'Q7', 'NVIDIA GPUDirect Clique ID: the function is no NVIDIA display controller');
    }
    const offset = [0xc8, 0xd4].find((place) => items.every((one) => one.offset !== place));
    if (offset === undefined) return ends('refused', 'Q7', 'NVIDIA GPUDirect Clique ID: invalid config space');
    made.push({ offset, bytes: [0x09, 0, 0x08, 0x50, 0x32, 0x50, clique << 3, 0], rule: 'Q7' });
  }
  return made;
}
