import { announcesExtendedSpace } from './announces-extended-space.js';
import { type ByteRange } from './byte-range.js';
import { type CapabilitySpace } from './catalogue/capability-row.js';
import { evaluateLength } from './catalogue/length-term.js';
import { ConfigSpace, conventionalSizeBytes, extendedSizeBytes, extendedSpaceAt,
  headerSizeBytes } from './config-space.js';
import { announcesCapabilities, readHeader } from './header.js';
import { type SriovRole } from './survey.js';
import { hidesInterruptPin, type HostKernel, kernelFacts, type KnownKernel } from './vfio-kernels.js';
import { extendedCapabilitiesMax, standardCapabilitiesMax, walkStandardCapabilities } from './walk-capabilities.js';

/** What vfio-pci did to a space that a careful reader must know. */
export type VfioFinding =
  | { readonly kind: 'kernel-not-observed'; readonly release: string; readonly evidence: string }
  | { readonly kind: 'function-not-bindable'; readonly headerType: number }
  | { readonly kind: 'extended-space-not-shown'; readonly because: 'not-announced' | 'all-ones' | 'aliases' }
  | { readonly kind: 'capability-hidden'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number }
  | { readonly kind: 'capability-conflict'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number }
  | { readonly kind: 'header-from-hardware'; readonly space: CapabilitySpace; readonly id: number;
      readonly offset: number }
  | { readonly kind: 'capability-list-loops'; readonly space: CapabilitySpace; readonly at: number };

export interface VfioView {
  /** What a read of the VFIO config region returns before anybody wrote to it. */
  readonly space: ConfigSpace;
  /** From 0x40 up: bytes where a write reaches the hardware as it is (K2, and the raw capabilities of K4). */
  readonly rawWritable: readonly ByteRange[];
  readonly findings: readonly VfioFinding[];
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
  const facts = kernelFacts(kernel);
  if (facts.evidence !== 'observed') {
    findings.push({ kind: 'kernel-not-observed', release: kernel.release, evidence: facts.evidence });
  }
  const header = readHeader(space);
  if (header.type !== 0) findings.push({ kind: 'function-not-bindable', headerType: header.type });
  const hidden = extendedSpaceHidden(space);
  if (hidden !== undefined && space.hasExtendedSpace) {
    findings.push({ kind: 'extended-space-not-shown', because: hidden });
  }
  const size = hidden === undefined ? space.size : conventionalSizeBytes;
  const region = new Region(space, size, facts, findings);
  if (announcesCapabilities(header)) region.linkStandard();
  if (size === extendedSizeBytes && space.u32(extendedSpaceAt) !== 0) region.linkExtended();
  const bytes = region.read();
  showHeader(bytes, space, about);
  const shown = ConfigSpace.fromCapture(bytes.subarray(0, Math.min(size, space.capturedBytes)));
  if (!shown.ok) throw new Error(`a view of ${shown.refusal.sizeBytes} bytes`);
  return { space: shown.value, rawWritable: region.rawWritable(), findings };
}

/** Why the kernel takes a function for one of 256 bytes (K16); undefined when it does not. */
function extendedSpaceHidden(space: ConfigSpace): 'not-announced' | 'all-ones' | 'aliases' | undefined {
  if (!space.hasExtendedSpace) return 'not-announced';
  if (!announcesExtendedSpace(space, walkStandardCapabilities(space, readHeader(space), []))) return 'not-announced';
  if (space.u32(extendedSpaceAt) === 0xffffffff) return 'all-ones';
  for (let page = extendedSpaceAt; page < space.size; page += extendedSpaceAt) {
    if (space.u32(page) !== space.u32(0)) return undefined;
  }
  return 'aliases';
}

function showHeader(bytes: Uint8Array, space: ConfigSpace, { role, ids, hasInterrupt = true }: VfioFunction): void {
  const view = new DataView(bytes.buffer);
  if (ids !== undefined) {
    view.setUint16(0x00, ids.vendorId, true);
    view.setUint16(0x02, ids.deviceId, true);
  }
  // A VF has no Memory Space Enable of its own, so the kernel shows it as set.
  if (role === 'vf') view.setUint16(0x04, view.getUint16(0x04, true) | 0x0002, true);
  const { vendorId, deviceId } = readHeader(space);
  if (role === 'vf' || !hasInterrupt || hidesInterruptPin(vendorId, deviceId)) bytes[0x3d] = 0;
}

const unassigned = -1;
const powerManagement = 0x01;
/** PME_Support, PME_En and PME_Status by byte of the capability: nobody behind vfio-pci gets PMEs (reading C1). */
const clearedPmeBits = [[3, 0xf8], [5, 0x81]] as const;

interface OwnedRun extends ByteRange {
  readonly id: number;
}

/** The config region while the kernel builds it: who maps each byte, and the bytes it keeps itself. */
class Region {
  /** Capability ID that maps each byte. Linux keeps IDs, not structures: neighbours of one ID are one (finding 1). */
  private readonly map: Int32Array;
  private readonly virtual: Uint8Array;
  private readonly visited = new Set<number>();
  /** Lists that came back to a structure; the rounds after the first have nothing new to report. */
  private readonly looped = new Set<CapabilitySpace>();
  private drawn: readonly OwnedRun[] | undefined;

  constructor(
    private readonly physical: ConfigSpace, private readonly size: number, private readonly facts: KnownKernel,
    private readonly findings: VfioFinding[],
  ) {
    this.map = new Int32Array(size).fill(unassigned);
    this.virtual = this.physicalBytes();
  }

  /** K5, K6, K11, K13: follows the list without masking pointers, as the kernel does. */
  linkStandard(): void {
    let previous = 0x34;
    let kept = 0;
    let at = this.physical.u8(0x34);
    // A looping list is followed up to the bound, as the kernel does: where it stops decides what is shown.
    for (let left = standardCapabilitiesMax; at !== 0 && left > 0; left -= 1) {
      if (at + 1 >= conventionalSizeBytes) break;
      this.visit('standard', at);
      const id = this.physical.u8(at);
      const next = this.physical.u8(at + 1);
      const length = this.lengthOf('standard', id, at, 0);
      if (length === 0) {
        this.report('capability-hidden', 'standard', id, at);
        this.virtual[previous] = next;
      } else {
        this.assign('standard', id, at, length, conventionalSizeBytes);
        previous = at + 1;
        kept += 1;
      }
      at = next;
    }
    if (kept === 0) this.virtual[0x06] = (this.virtual[0x06] ?? 0) & ~0x10;
  }

  /** K9..K13: a hidden head keeps a placeholder, any other hidden capability is skipped. */
  linkExtended(): void {
    let previous: number | undefined;
    let kept = 0;
    let at = extendedSpaceAt;
    for (let left = extendedCapabilitiesMax; at >= extendedSpaceAt && left > 0; left -= 1) {
      this.visit('extended', at);
      const header = this.physical.u32(at);
      const id = header & 0xffff;
      const next = (header >>> 20) & 0xffc;
      const length = this.lengthOf('extended', id, at, (header >>> 16) & 0xf);
      if (length === 0) this.report('capability-hidden', 'extended', id, at);
      if (length === 0 && previous !== undefined) {
        this.relink(previous, next);
      } else {
        this.assign('extended', id, at, length === 0 ? 4 : length, this.size);
        if (length === 0) this.setVirtual32(at, (header & 0xffc00000) >>> 0);
        else kept += 1;
        previous = at;
      }
      at = next;
    }
    if (kept === 0) this.setVirtual32(extendedSpaceAt, 0);
  }

  /** What a reader gets: list headers from the kernel's own copy, everything else from the hardware (K3). */
  read(): Uint8Array {
    const bytes = this.physicalBytes();
    bytes[0x34] = this.virtual[0x34] ?? 0;
    bytes[0x06] = this.virtual[0x06] ?? 0;
    for (const { offset: start, length, id } of this.runs()) {
      if (id === unassigned) continue;
      if (start >= extendedSpaceAt) {
        for (let at = start; at < start + Math.min(length, 4); at += 1) bytes[at] = this.virtual[at] ?? 0;
        continue;
      }
      if (length > 1) bytes[start + 1] = this.virtual[start + 1] ?? 0;
      if (id !== powerManagement) continue;
      for (const [at, cleared] of clearedPmeBits) {
        if (at < length) bytes[start + at] = (bytes[start + at] ?? 0) & ~cleared;
      }
    }
    return bytes;
  }

  /** Runs that nobody maps, and vendor-specific structures, whose headers are written through too (finding 5). */
  rawWritable(): readonly ByteRange[] {
    const runs: ByteRange[] = [];
    // A kernel that hides DVSEC keeps a placeholder of a hidden head to itself.
    const writesDvsec = this.facts.extended[0x23] !== undefined;
    for (const { offset, length, id } of this.runs()) {
      const isVendors = offset < extendedSpaceAt ? id === 0x09 : id === 0x0b || (writesDvsec && id === 0x23);
      if (id !== unassigned && !isVendors) continue;
      const last = runs.at(-1);
      if (last !== undefined && last.offset + last.length === offset) {
        runs[runs.length - 1] = { offset: last.offset, length: last.length + length };
      } else {
        runs.push({ offset, length });
      }
    }
    return runs;
  }

  /** Maximal runs of bytes with one owner; none crosses from one space into the other. */
  private runs(): readonly OwnedRun[] {
    if (this.drawn !== undefined) return this.drawn;
    const runs: OwnedRun[] = [];
    const { map, size } = this;
    for (let start = headerSizeBytes; start < size;) {
      const id = map[start] ?? unassigned;
      const limit = start < extendedSpaceAt ? extendedSpaceAt : size;
      let end = start + 1;
      while (end < limit && map[end] === id) end += 1;
      runs.push({ offset: start, length: end - start, id });
      start = end;
    }
    this.drawn = runs;
    return runs;
  }

  private visit(space: CapabilitySpace, at: number): void {
    if (this.visited.has(at) && !this.looped.has(space)) {
      this.looped.add(space);
      this.findings.push({ kind: 'capability-list-loops', space, at });
    }
    this.visited.add(at);
  }

  private report(
    kind: 'capability-hidden' | 'capability-conflict' | 'header-from-hardware', space: CapabilitySpace, id: number,
    offset: number,
  ): void {
    if (!this.looped.has(space)) this.findings.push({ kind, space, id, offset });
  }

  /** Bytes the kernel maps for a capability; 0 when it hides it. */
  private lengthOf(space: CapabilitySpace, id: number, at: number, version: number): number {
    const rule = this.facts[space][id];
    if (rule === undefined) return 0;
    const length = evaluateLength(rule, { space: this.physical, at, version, expressAt: undefined });
    return length === undefined || Number.isNaN(length) ? 0 : length;
  }

  private assign(space: CapabilitySpace, id: number, at: number, length: number, end: number): void {
    const last = Math.min(at + length, end);
    const isShared = this.map.subarray(at, last).some((owner) => owner !== unassigned);
    const isNeighbour = at !== extendedSpaceAt && at > headerSizeBytes && this.map[at - 1] === id;
    if (isShared) this.report('capability-conflict', space, id, at);
    else if (isNeighbour) this.report('header-from-hardware', space, id, at);
    this.map.fill(id, at, last);
    for (let offset = at; offset < last; offset += 1) this.virtual[offset] = this.physical.u8(offset);
  }

  /** Writes the next pointer of an extended header; its two reserved bits stay (finding 14). */
  private relink(at: number, next: number): void {
    const view = new DataView(this.virtual.buffer);
    this.setVirtual32(at, ((view.getUint32(at, true) & ~0xffc00000) | (next << 20)) >>> 0);
  }

  private setVirtual32(at: number, value: number): void {
    new DataView(this.virtual.buffer).setUint32(at, value, true);
  }

  private physicalBytes(): Uint8Array {
    const bytes = new Uint8Array(this.size);
    bytes.set(this.physical.toBytes().subarray(0, this.size));
    return bytes;
  }
}
