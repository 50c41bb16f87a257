import { linuxReadsExtendedSpace } from './announces-extended-space.js';
import { type CapabilitySpace } from './catalogue/capability-row.js';
import { ConfigSpace, conventionalSizeBytes, extendedSpaceAt } from './config-space.js';
import { announcesCapabilities, readHeader } from './header.js';
import { type SriovRole } from './survey.js';
import { hidesInterruptPin, type HostKernel, type KernelView, kernelViewOf } from './vfio-kernels.js';
import { type RawRange, VfioRegion, type WriteMask } from './vfio-region.js';
import { type LinkedCapability, walkStandardCapabilities } from './walk-capabilities.js';

/** What vfio-pci did to a space that a careful reader must know. */
export type VfioFinding =
  | { readonly kind: 'kernel-not-observed'; readonly release: string; readonly evidence: string }
  | { readonly kind: 'function-not-bindable'; readonly headerType: number }
  | { readonly kind: 'extended-space-not-shown'; readonly because: 'not-announced' | 'all-ones' | 'aliases' }
  | { readonly kind: 'capability-hidden'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number }
  | { readonly kind: 'head-placeholder'; readonly space: CapabilitySpace; readonly id: number; readonly offset: number }
  | { readonly kind: 'pme-hidden'; readonly space: CapabilitySpace; readonly id: number; readonly offset: number }
  | { readonly kind: 'header-of-null'; readonly space: CapabilitySpace; readonly id: number; readonly offset: number }
  | { readonly kind: 'extended-space-without-list'; readonly offset: number }
  | { readonly kind: 'pin-hidden'; readonly offset: number }
  | { readonly kind: 'ids-of-the-physical-function'; readonly offset: number }
  | { readonly kind: 'capability-conflict'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number }
  | { readonly kind: 'header-from-hardware'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number }
  | { readonly kind: 'capability-list-loops'; readonly space: CapabilitySpace; readonly at: number };

export interface VfioView {
  /** What a read of the VFIO config region returns before anybody wrote to it. */
  readonly space: ConfigSpace;
  /** From 0x40 up: bytes where a write reaches the hardware as it is (K2, and the raw capabilities of K4). */
  readonly rawWritable: readonly RawRange[];
  readonly findings: readonly VfioFinding[];
  /** The view of Linux that was taken, and its revision. */
  readonly kernel: KernelViewTaken;
}

/** A released view of Linux vfio-pci by name. */
export interface KernelViewTaken {
  readonly name: string;
  readonly revision: number;
}

/** What the bytes cannot say about the function. */
export interface VfioFunction {
  readonly role?: SriovRole;
  /** A VF's own IDs read all-ones; its PF tells them (K15). */
  readonly ids?: { readonly vendorId: number; readonly deviceId: number };
  /** The host gave it an interrupt. Without one the pin reads 0 (finding 6). True when not given. */
  readonly hasInterrupt?: boolean;
}

/**
 * The vfio view of a physical space: what user space reads through Linux vfio-pci (K1..K16 and what was observed).
 * Exact from 0x40 up. Below, IDs, pin, list pointer and Status bit 4 are those of the view; BARs, which depend on the
 * host's resources, read as the physical ones.
 */
export function vfioView(space: ConfigSpace, kernel: HostKernel, about: VfioFunction = {}): VfioView {
  const findings: VfioFinding[] = [];
  const { view, evidence } = kernelViewOf(kernel);
  if (evidence !== 'observed') findings.push({ kind: 'kernel-not-observed', release: kernel.release, evidence });
  const header = readHeader(space);
  if (header.type !== 0) findings.push({ kind: 'function-not-bindable', headerType: header.type });
  const region = buildRegion(space, view, findings);
  const bytes = region.read();
  showHeader(bytes, space, about, findings);
  const shown = ConfigSpace.takeOver(bytes.subarray(0, space.capturedBytes));
  const { name, revision } = view;
  return { space: shown, rawWritable: region.rawWritable(), findings, kernel: { name, revision } };
}

/** What a write through vfio-pci does to each byte of the region (K2, K3, K4). */
export function vfioWrites(space: ConfigSpace, kernel: HostKernel): readonly WriteMask[] {
  return buildRegion(space, kernelViewOf(kernel).view, []).writeMasks();
}

function buildRegion(space: ConfigSpace, view: KernelView, findings: VfioFinding[]): VfioRegion {
  const header = readHeader(space);
  const linked = walkStandardCapabilities(space, header, []);
  const hidden = extendedSpaceHidden(space, linked);
  if (hidden !== undefined && space.hasExtendedSpace) {
    findings.push({ kind: 'extended-space-not-shown', because: hidden });
  }
  const size = hidden === undefined ? space.size : conventionalSizeBytes;
  const expressAt = linked.find(({ id }) => id === 0x10)?.offset;
  const region = new VfioRegion(space, size, view, expressAt, findings);
  if (announcesCapabilities(header)) region.linkStandard();
  region.linkExtended();
  return region;
}

/** Why the kernel takes a function for one of 256 bytes (K16); undefined when it does not. */
function extendedSpaceHidden(
  space: ConfigSpace, linked: readonly LinkedCapability[],
): 'not-announced' | 'all-ones' | 'aliases' | undefined {
  if (!linuxReadsExtendedSpace(space, linked)) return 'not-announced';
  if (space.u32(extendedSpaceAt) === 0xffffffff) return 'all-ones';
  for (let page = extendedSpaceAt; page < space.size; page += extendedSpaceAt) {
    if (space.u32(page) !== space.u32(0)) return undefined;
  }
  return 'aliases';
}

function showHeader(
  bytes: Uint8Array, space: ConfigSpace, { role, ids, hasInterrupt = true }: VfioFunction, findings: VfioFinding[],
): void {
  if (ids !== undefined) {
    const view = new DataView(bytes.buffer);
    view.setUint16(0x00, ids.vendorId, true);
    view.setUint16(0x02, ids.deviceId, true);
    findings.push({ kind: 'ids-of-the-physical-function', offset: 0 });
  }
  // A VF has no Memory Space Enable of its own, so the kernel shows it as set.
  if (role === 'vf') bytes[0x04] = (bytes[0x04] ?? 0) | 0x02;
  const { vendorId, deviceId } = readHeader(space);
  if (role !== 'vf' && hasInterrupt && !hidesInterruptPin(vendorId, deviceId)) return;
  if (bytes[0x3d] !== 0) findings.push({ kind: 'pin-hidden', offset: 0x3d });
  bytes[0x3d] = 0;
}
