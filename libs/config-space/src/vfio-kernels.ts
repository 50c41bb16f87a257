import { bits, ceilDiv, choose, ifSet, type LengthTerm, product, roundUp, sum } from './catalogue/length-term.js';

/** The host kernel whose vfio-pci shows a function to user space; its release and flavour change the view (K14). */
export interface HostKernel {
  /** As `uname -r` says it; what follows `major.minor` is not looked at. */
  readonly release: string;
  /** `nvidia` is the NV-Kernels tree, which shows PASID. */
  readonly flavour: 'upstream' | 'nvidia';
}

/**
 * What vfio-pci knows of one capability list: bytes it maps for each ID. An ID that is not here, or whose registers
 * tell 0, is hidden (K5, K9). These are the kernel's numbers, which differ from the specification's.
 */
export type KernelLengths = Readonly<Record<number, LengthTerm>>;

export interface KernelFacts {
  readonly standard: KernelLengths;
  readonly extended: KernelLengths;
}

/**
 * What vfio-pci of some kernels shows: the first stage of every prediction, versioned like a profile. A released view
 * is never edited: a correction is a new revision.
 */
export interface KernelView extends KernelFacts {
  /** `linux-vfio-6.12`, `linux-vfio-6.12-nvidia`. */
  readonly name: string;
  readonly revision: number;
  readonly flavour: HostKernel['flavour'];
  /** `observed` in captures, `read` in its source, `derived` from the releases around it. */
  readonly evidence: 'observed' | 'read' | 'derived';
  readonly source: string;
  readonly expressEndpointBytes: number;
  readonly showsDvsec: boolean;
}

type Behaviour = Pick<KernelView, 'evidence' | 'source' | 'expressEndpointBytes' | 'showsDvsec'>;

/**
 * DVSEC came with 6.4. The size of a PCI Express endpoint was 0x32, a slip in a header of the kernel, until 7.0 made it
 * 0x34; the stable releases of 6.12, 6.18 and 6.19 followed in 2026 (finding 3, reading B2).
 */
const behaviours = {
  '6.1': {
    evidence: 'observed', source: 'Linux 6.1.192 in captures', expressEndpointBytes: 0x32, showsDvsec: false,
  },
  '6.4': {
    evidence: 'derived', source: 'Linux 6.1 and 6.12, and when DVSEC came', expressEndpointBytes: 0x32,
    showsDvsec: true,
  },
  '6.12': {
    evidence: 'read', source: 'drivers/vfio/pci/vfio_pci_config.c of a stable 6.12', expressEndpointBytes: 0x34,
    showsDvsec: true,
  },
  '7.2': {
    evidence: 'observed', source: 'Linux 7.2.13 in captures', expressEndpointBytes: 0x34, showsDvsec: true,
  },
} as const satisfies Record<string, Behaviour>;

type BehaviourName = keyof typeof behaviours;

interface KernelEra {
  readonly since: readonly [major: number, minor: number];
  readonly shows: BehaviourName;
  readonly evidence: KernelView['evidence'];
}

/** A release shows what the last era before it shows; between two that were looked at that is derived. */
const eras: readonly KernelEra[] = [
  { since: [6, 1], shows: '6.1', evidence: 'observed' },
  { since: [6, 2], shows: '6.1', evidence: 'derived' },
  { since: [6, 4], shows: '6.4', evidence: 'derived' },
  { since: [6, 12], shows: '6.12', evidence: 'read' },
  { since: [6, 13], shows: '6.4', evidence: 'derived' },
  { since: [6, 18], shows: '6.12', evidence: 'derived' },
  { since: [7, 2], shows: '7.2', evidence: 'observed' },
  { since: [7, 3], shows: '7.2', evidence: 'derived' },
];

/** K5 and K6. */
function standardLengths(endpointBytes: number): KernelLengths {
  const portType = bits(0x02, 2, 4, 4);
  return {
    0x01: 8,
    0x02: 12,
    0x03: 8,
    0x05: sum(10, ifSet(bits(0x02, 2, 7, 1), 4), ifSet(bits(0x02, 2, 8, 1), 10)),
    0x07: choose(bits(0x02, 2, 12, 2), { 0: 8 }, 24),
    0x08: choose(bits(0x03, 1, 5, 3), { 0: 28 }, 24),
    0x09: bits(0x02, 1, 0, 8),
    0x10: choose(bits(0x02, 2, 0, 4), {
      1: choose(portType, { 9: 0x0c }, 0x14),
    }, choose(portType, { 9: 0x2c }, endpointBytes)),
    0x11: 12,
    0x12: choose(bits(0x04, 4, 0, 4), { 0xf: 16 }, 8),
    0x13: 6,
  };
}

/** K8, K9, K10. */
function extendedLengths(showsDvsec: boolean, flavour: HostKernel['flavour']): KernelLengths {
  const channels = sum(0x10, product(0x0c, sum(1, bits(0x04, 4, 0, 3))));
  // 128, 64 or 32 phases of 4 bits, the largest bit set deciding.
  const arbitrationTable = choose(bits(0x08, 4, 3, 1), { 1: 64 },
    choose(bits(0x08, 4, 2, 1), { 1: 32 }, choose(bits(0x08, 4, 1, 1), { 1: 16 }, 0)));
  const virtualChannel = choose(arbitrationTable, { 0: channels }, sum(roundUp(channels, 16), arbitrationTable));
  const egressBytes = choose(bits(0x05, 1, 0, 8), { 0: 32 }, product(4, ceilDiv(bits(0x05, 1, 0, 8), 32)));
  return {
    0x0001: 0x2c,
    0x0002: virtualChannel,
    0x0003: 0x0c,
    0x0004: 0x10,
    0x0008: virtualChannel,
    0x0009: virtualChannel,
    0x000b: bits(0x04, 4, 20, 12),
    0x000d: sum(8, ifSet(bits(0x04, 1, 5, 1), egressBytes)),
    0x000e: 8,
    0x000f: 8,
    0x0010: 0x40,
    0x0012: 0x28,
    0x0013: 0x10,
    0x0015: sum(4, product(8, bits(0x08, 1, 5, 3))),
    0x0016: sum(17, bits(0x04, 1, 0, 5)),
    0x0017: sum(12, choose(bits(0x04, 4, 9, 2), { 1: sum(2, product(2, bits(0x04, 4, 16, 11))) }, 0)),
    0x0018: 8,
    ...(showsDvsec ? { 0x0023: bits(0x04, 4, 20, 12) } : {}),
    ...(flavour === 'nvidia' ? { 0x001b: 8 } : {}),
  };
}

function viewOf(name: BehaviourName, flavour: HostKernel['flavour']): KernelView {
  const behaviour: Behaviour = behaviours[name];
  const isNvidia = flavour === 'nvidia';
  return {
    ...behaviour,
    name: `linux-vfio-${name}${isNvidia ? '-nvidia' : ''}`, revision: 1, flavour,
    // K14 was read in the NV-Kernels source, not observed.
    evidence: isNvidia ? 'read' : behaviour.evidence,
    source: isNvidia ? `${behaviour.source}; PASID as in NV-Kernels` : behaviour.source,
    standard: standardLengths(behaviour.expressEndpointBytes),
    extended: extendedLengths(behaviour.showsDvsec, flavour),
  };
}

const viewsOf = (flavour: HostKernel['flavour']): { readonly [Name in BehaviourName]: KernelView } => ({
  '6.1': viewOf('6.1', flavour), '6.4': viewOf('6.4', flavour), '6.12': viewOf('6.12', flavour),
  '7.2': viewOf('7.2', flavour),
});
const known = { upstream: viewsOf('upstream'), nvidia: viewsOf('nvidia') } as const;

/** Every view of Linux vfio-pci that is known, the oldest first. */
export const kernelViews: readonly KernelView[] =
  [known.upstream, known.nvidia].flatMap((views) => Object.values<KernelView>(views));

/** What one kernel shows, and how well that is known of this very release. */
export interface KnownKernel {
  readonly view: KernelView;
  readonly evidence: KernelView['evidence'] | 'unknown';
}

/**
 * The view of a kernel. A release older than the oldest known one, or one that cannot be read, gets that of the oldest
 * (`unknown`): the caller reports it.
 */
export function kernelViewOf({ release, flavour }: HostKernel): KnownKernel {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})(?!\d)/.exec(release) ?? [];
  const isSince = ({ since }: KernelEra): boolean =>
    Number(major) > since[0] || (Number(major) === since[0] && Number(minor) >= since[1]);
  const era = eras.findLast(isSince);
  if (era === undefined) return { view: known[flavour]['6.1'], evidence: 'unknown' };
  const view = known[flavour][era.shows];
  return { view, evidence: flavour === 'nvidia' ? 'read' : era.evidence };
}

/** Functions whose INTx vfio-pci hides because it cannot be masked (quirks.md section 3): the pin reads 0. */
export function hidesInterruptPin(vendorId: number, deviceId: number): boolean {
  if (vendorId !== 0x8086) return false;
  return [0x1563, 0x1572, 0x1574, 0x1580, 0x1581].includes(deviceId)
    || (deviceId >= 0x1583 && deviceId <= 0x158b) || (deviceId >= 0x37d0 && deviceId <= 0x37d2);
}
