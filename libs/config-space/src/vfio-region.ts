import { type ByteRange } from './byte-range.js';
import { type CapabilitySpace } from './catalogue/capability-row.js';
import { evaluateLength } from './catalogue/length-term.js';
import { type ConfigSpace, conventionalSizeBytes, extendedSizeBytes, extendedSpaceAt,
  headerSizeBytes } from './config-space.js';
import { type KernelView } from './vfio-kernels.js';
import { headerPermissions, permissionsOf, type PermissionTable, writesThrough } from './vfio-permissions.js';
import { type VfioFinding } from './vfio-view.js';
import { extendedCapabilitiesMax, standardCapabilitiesMax } from './walk-capabilities.js';

/** The map keeps one byte for each: the low byte of an ID, and two values for bytes of no capability. */
const unassigned = 0xff;
/** Bytes the kernel would keep wholly to itself; only an unknown ID that ends in it gets there. */
const wholly = 0xfe;
const powerManagement = 0x01;
const messageSignalled = 0x05;
const pcix = 0x07;
const express = 0x10;
const placeholderBytes = 4;

interface OwnedRun extends ByteRange {
  /** Low byte of the ID; the byte map has no more (reading P9). */
  readonly id: number;
}

/** Bytes where a write reaches the hardware as it is: they are nobody's (K2), or a vendor's (K4). */
export interface RawRange extends ByteRange {
  readonly of: 'nobody' | 'vendor';
}

/** What a write of a user to a byte does. */
export type WriteEffect =
  /** Reaches the hardware as written. */
  | 'hardware'
  /** Some bits reach the hardware. */
  | 'partly'
  /** The kernel does with it what it holds right: a reset, a power state, MSI. */
  | 'mediated'
  /** Stays in the kernel's own copy. */
  | 'virtual'
  | 'dropped';

/** One byte of the region as a user may write it: bits that reach the hardware, and bits the next read shows. */
export interface WriteMask {
  readonly effect: WriteEffect;
  readonly hardware: number;
  readonly shown: number;
}

const written: WriteMask = { effect: 'hardware', hardware: 0xff, shown: 0xff };
const dropped: WriteMask = { effect: 'dropped', hardware: 0, shown: 0 };
const keptWhole: WriteMask = { effect: 'virtual', hardware: 0, shown: 0xff };

/**
 * The config region while the kernel builds it: who maps each byte, and the bytes it keeps itself (K1). It remembers
 * IDs, not structures: neighbours of one ID are one capability (finding 1).
 */
export class VfioRegion {
  private readonly map: Uint8Array;
  /** Where capabilities start and end: nowhere else does the owner change from one byte to the next. */
  private readonly edges: number[] = [];
  /** The kernel's own copy. */
  private readonly virtual: Uint8Array<ArrayBuffer>;
  /** Bytes the kernel changed in its own copy; all others read the same from either. */
  private readonly changed: number[] = [];
  private readonly visited: number[] = [];
  /** Lists that came back to a structure; the rounds after the first have nothing new to report. */
  private readonly looped = new Set<CapabilitySpace>();
  private drawn: readonly OwnedRun[] | undefined;
  private msiControl: number | undefined;
  private announced = false;

  constructor(
    private readonly physical: ConfigSpace, private readonly size: number, private readonly facts: KernelView,
    /** Where Linux has the function's PCI Express capability: its type and version decide about every other (P11). */
    private readonly expressAt: number | undefined, private readonly findings: VfioFinding[],
  ) {
    this.map = new Uint8Array(size).fill(unassigned);
    this.virtual = physical.toBytes(size);
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
      const length = this.lengthOf('standard', id, id === express ? this.expressAt ?? at : at, 0);
      if (length === 0) {
        this.report('capability-hidden', 'standard', id, at);
        this.change(previous, next);
      } else {
        this.assign('standard', id, at, length);
        this.note(id, at);
        previous = at + 1;
        kept += 1;
      }
      at = next;
    }
    if (kept === 0) this.change(0x06, (this.virtual[0x06] ?? 0) & ~0x10);
  }

  /** What else a standard capability brings about: the extended list, the tables of MSI, no PME bits (reading C1). */
  private note(id: number, at: number): void {
    // K16: looked at when the kernel meets one of the two, whatever made the region as large as it is (reading P10).
    if (id === express || (id === pcix && (this.physical.u16(at + 2) & 0x3000) !== 0)) this.announced = true;
    if (id === messageSignalled) this.msiControl ??= this.physical.u16(at + 2);
    if (id !== powerManagement) return;
    let cleared = false;
    for (const [register, bits] of [[3, 0xf8], [5, 0x81]] as const) {
      const value = this.virtual[at + register] ?? 0;
      cleared ||= (value & bits) !== 0;
      this.change(at + register, value & ~bits);
    }
    if (cleared) this.report('pme-hidden', 'standard', id, at);
  }

  /** K9..K13: a hidden head keeps a placeholder, any other hidden capability is skipped. */
  linkExtended(): void {
    if (this.size !== extendedSizeBytes || this.physical.u32(extendedSpaceAt) === 0) return;
    if (!this.announced) {
      this.findings.push({ kind: 'extended-space-without-list', offset: extendedSpaceAt });
      return;
    }
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
        this.assign('extended', id, at, length === 0 ? placeholderBytes : length);
        if (length === 0) {
          this.setVirtual32(at, (header & 0xffc00000) >>> 0);
          this.report('head-placeholder', 'extended', id, at);
        } else {
          kept += 1;
        }
        previous = at;
      }
      at = next;
    }
    if (kept === 0) this.setVirtual32(extendedSpaceAt, 0);
  }

  /**
   * What a reader gets: what the kernel changed, wherever its own copy is what it reads (K3), else the hardware. Both
   * lists are linked by now, so it is made of the copy itself, which belongs to the caller then.
   */
  read(): Uint8Array<ArrayBuffer> {
    for (const at of this.changed) {
      const kept = this.virtualBits(at);
      this.virtual[at] = (this.physical.u8(at) & ~kept) | ((this.virtual[at] ?? 0) & kept);
    }
    return this.virtual;
  }

  /** Bits of a byte that are read from the kernel's own copy. */
  private virtualBits(at: number): number {
    if (at < headerSizeBytes) return headerPermissions.get(at)?.virtual ?? 0;
    const run = this.runAt(at);
    if (run === undefined || run.id === unassigned) return 0;
    if (run.id === wholly) return 0xff;
    const space = spaceAt(at);
    // An extended ID that ends in 00 looks like the common header, whose tables say nothing up here (reading P9).
    if (run.id === 0) return 0;
    const table = this.tableOf(space, run.id);
    if (table !== undefined) return table.get(at - run.offset)?.virtual ?? 0;
    const [from, length] = chunkOf(at, run);
    if (space === 'extended') return from - run.offset < 4 ? 0xff : 0;
    // Of a standard header the kernel shows the pointer, and the ID where both are read at once (finding 4).
    const shown = from === run.offset && length > 1 ? 2 : from === run.offset + 1 ? 1 : 0;
    return at < from + shown ? 0xff : 0;
  }

  /** The run that has a byte. */
  private runAt(at: number): OwnedRun | undefined {
    const runs = this.runs();
    let [low, high] = [0, runs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((runs[middle]?.offset ?? at) <= at) low = middle + 1;
      else high = middle;
    }
    return runs[low - 1];
  }

  /** Runs that nobody maps, and vendor-specific structures, whose headers are written through too (finding 5). */
  rawWritable(): readonly RawRange[] {
    const runs: RawRange[] = [];
    for (const { offset, length, id } of this.runs()) {
      const of = id === unassigned ? 'nobody' : 'vendor';
      if (of === 'vendor' && !writesThrough(spaceAt(offset), id, this.facts.showsDvsec)) continue;
      const last = runs.at(-1);
      if (last !== undefined && last.of === of && last.offset + last.length === offset) {
        runs[runs.length - 1] = { offset: last.offset, length: last.length + length, of };
      } else {
        runs.push({ offset, length, of });
      }
    }
    return runs;
  }

  /** What a write of one byte does, for each byte of the region (K2, K3, K4). */
  writeMasks(): readonly WriteMask[] {
    const masks = Array.from({ length: headerSizeBytes }, (_, at) => maskOf(headerPermissions, at));
    for (const { offset, length, id } of this.runs()) {
      const space = spaceAt(offset);
      const table = this.tableOf(space, id);
      const isRaw = writesThrough(space, id, this.facts.showsDvsec);
      for (let at = 0; at < length; at += 1) {
        // A header that is written through is still read from the kernel's copy (finding 5).
        if (isRaw) masks.push({ ...written, shown: 0xff & ~this.virtualBits(offset + at) });
        else if (table !== undefined) masks.push(maskOf(table, at));
        else masks.push(id === unassigned ? written : id === wholly ? keptWhole : dropped);
      }
    }
    return masks;
  }

  private tableOf(space: CapabilitySpace, id: number): PermissionTable | undefined {
    return permissionsOf(space, id, this.msiControl);
  }

  /** Maximal runs of bytes with one owner; none crosses from one space into the other. */
  private runs(): readonly OwnedRun[] {
    if (this.drawn !== undefined) return this.drawn;
    const runs: OwnedRun[] = [];
    let start: number = headerSizeBytes;
    for (const end of new Uint16Array([extendedSpaceAt, this.size, ...this.edges]).sort()) {
      if (end <= start || (end !== extendedSpaceAt && this.map[end] === this.map[start])) continue;
      runs.push({ offset: start, length: end - start, id: this.map[start] ?? unassigned });
      start = end;
    }
    this.drawn = runs;
    return runs;
  }

  private visit(space: CapabilitySpace, at: number): void {
    if (this.looped.has(space)) return;
    if (this.visited.includes(at)) {
      this.looped.add(space);
      this.findings.push({ kind: 'capability-list-loops', space, at });
    }
    this.visited.push(at);
  }

  private report(
    kind: 'capability-hidden' | 'head-placeholder' | 'capability-conflict' | 'header-from-hardware' | 'header-of-null'
      | 'pme-hidden',
    space: CapabilitySpace, id: number, offset: number,
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

  /** Maps the bytes of a capability. One that passes 0x100 goes on in the extended space, where there is one. */
  private assign(space: CapabilitySpace, given: number, at: number, length: number): void {
    const id = given & 0xff;
    const last = Math.min(at + length, this.size);
    let isShared = false;
    for (let byte = at; byte < last && !isShared; byte += 1) isShared = this.map[byte] !== unassigned;
    const least = space === 'standard' ? headerSizeBytes : extendedSpaceAt;
    const isNeighbour = at > least && this.map[at - 1] === id;
    if (isShared) this.report('capability-conflict', space, given, at);
    else if (space === 'extended' && id === 0) this.report('header-of-null', space, given, at);
    else if (isNeighbour) this.report('header-from-hardware', space, given, at);
    this.map.fill(id, at, last);
    this.edges.push(at, last);
    // The kernel copies the whole capability: what it had changed there is the hardware's again.
    for (const byte of this.changed) if (at <= byte && byte < last) this.virtual[byte] = this.physical.u8(byte);
  }

  /** Writes the next pointer of an extended header; its two reserved bits stay (finding 14). */
  private relink(at: number, next: number): void {
    this.change(at + 2, ((this.virtual[at + 2] ?? 0) & 0x3f) | ((next & 0xc) << 4));
    this.change(at + 3, next >>> 4);
  }

  private setVirtual32(at: number, value: number): void {
    for (let index = 0; index < 4; index += 1) this.change(at + index, (value >>> (8 * index)) & 0xff);
  }

  private change(at: number, value: number): void {
    if (at >= this.size) return;
    this.virtual[at] = value;
    this.changed.push(at);
  }
}

function spaceAt(offset: number): CapabilitySpace {
  return offset < extendedSpaceAt ? 'standard' : 'extended';
}

/** The access in which a reader of whole DWORDs gets a byte: of one owner, aligned, of 4, 2 or 1 bytes. */
function chunkOf(at: number, run: OwnedRun): readonly [from: number, length: number] {
  const dword = at & ~3;
  const end = Math.min(dword + 4, run.offset + run.length);
  let from = Math.max(dword, run.offset);
  for (;;) {
    const left = end - from;
    const length = left >= 4 ? 4 : left >= 2 && from % 2 === 0 ? 2 : 1;
    if (at < from + length) return [from, length];
    from += length;
  }
}

function maskOf(table: PermissionTable, at: number): WriteMask {
  const permission = table.get(at);
  if (permission === undefined || permission.writable === 0) return dropped;
  const { writable: shown, virtual } = permission;
  const hardware = shown & ~virtual;
  if (permission.mediated === true) return { effect: 'mediated', hardware, shown };
  return { effect: hardware === 0xff ? 'hardware' : hardware !== 0 ? 'partly' : 'virtual', hardware, shown };
}
