import {
  capabilitiesPointerAt, type CapabilitySpace, ConfigOffset, type ConfigPatch, extendedSpaceAt, type Survey,
} from '@cadastre/config-space';
import { type ListEntry } from './layout.js';

/** Bits 31:20 of an extended header. PCIe Base Specification, "PCI Express Extended Capability Header". */
const extendedNextMask = 0xfff00000;
/** The second byte of a standard header. PCI Local Bus Specification, "Capabilities List". */
const standardNextMask = 0x0000ff00;
const wholeDword = 0xffffffff;
/** Status register bit 4, "Capabilities List", in the DWORD at 0x04. */
const announcedMask = 0x00100000;

/**
 * One capability list while capabilities are linked into it and out of it, standard and extended under one rule.
 * Entries are in walk order: whatever the offsets are, a list of distinct entries, each linked to the one behind it,
 * cannot loop.
 */
export class CapabilityList {
  /** Offsets of headers whose successor is no longer the hardware's; `head` for the pointer in the header. */
  private readonly relinked = new Set<number | 'head'>();

  private constructor(
    readonly space: CapabilitySpace, private readonly list: ListEntry[], private readonly pointerAt: number,
  ) {}

  static of(survey: Survey, space: CapabilitySpace): CapabilityList {
    const entries = survey.capabilities.filter((one) => one.space === space)
      .map(({ offset, id, version }): ListEntry => ({ offset, id, version, origin: 'physical' }));
    return new CapabilityList(space, entries, capabilitiesPointerAt(survey.header));
  }

  /** What a guest meets on its walk. A lone anchor reads 0, which is no header. */
  get entries(): readonly ListEntry[] {
    return this.list.length === 1 && this.hasAnchor ? [] : this.list;
  }

  /** True once a link or a hidden first capability has put a header of our own at 0x100. */
  get hasAnchor(): boolean {
    return this.list[0]?.origin === 'anchor';
  }

  /** True while the hardware's header at this offset is part of the list. */
  lists(offset: number): boolean {
    return this.list.some((one) => one.offset === offset && one.origin === 'physical');
  }

  /** True when linking something at `offset` first needs a header at 0x100, where every extended walk begins. */
  needsAnchorFor(offset: number): boolean {
    return this.space === 'extended' && this.list.length === 0 && offset !== extendedSpaceAt;
  }

  /**
   * Links an entry behind the last one a walk from the head meets at or below it (fact Q17), so that an ascending list
   * stays ascending. An empty extended list gets an anchor at 0x100: ID 0, version 0 (facts K12, Q10). What is linked
   * at 0x100 itself takes the anchor's place: the list is the same in whatever order its entries came.
   */
  link(entry: ListEntry): void {
    if (this.hasAnchor && entry.offset === extendedSpaceAt) {
      this.list[0] = entry;
      return;
    }
    if (this.needsAnchorFor(entry.offset)) {
      this.list.push({ offset: extendedSpaceAt, id: 0, version: 0, origin: 'anchor' });
    }
    const stop = this.list.findIndex((one) => one.offset > entry.offset);
    const index = stop < 0 ? this.list.length : stop;
    this.list.splice(index, 0, entry);
    this.relinked.add(this.list[index - 1]?.offset ?? 'head');
  }

  /** Takes the hardware's header at `offset` out of the list; at 0x100 an anchor takes its place (facts K12, C7). */
  unlink(offset: number): void {
    const index = this.list.findIndex((one) => one.offset === offset);
    if (index < 0) throw new RangeError(`nothing is listed at ${offset}`);
    if (this.space === 'extended' && index === 0) {
      this.list[0] = { offset, id: 0, version: 0, origin: 'anchor' };
      return;
    }
    this.list.splice(index, 1);
    this.relinked.add(this.list[index - 1]?.offset ?? 'head');
  }

  /**
   * The header DWORDs that differ from the original: headers of what we added, next pointers of what leads elsewhere
   * now. Nothing else is mended, not even a list the hardware broke.
   */
  headerPatches(): readonly ConfigPatch[] {
    const patches: ConfigPatch[] = this.space === 'standard' && this.relinked.has('head') ? this.headPatches() : [];
    this.list.forEach((entry, index) => {
      const next = this.list[index + 1]?.offset ?? 0;
      const isOurs = entry.origin !== 'physical';
      if (!isOurs && !this.relinked.has(entry.offset)) return;
      patches.push({ offset: trusted(entry.offset), ...(isOurs ? this.header(entry, next) : this.next(next)) });
    });
    return patches;
  }

  private header({ id, version }: ListEntry, next: number): Omit<ConfigPatch, 'offset'> {
    if (this.space === 'standard') return { mask: standardNextMask | 0xff, value: id | (next << 8) };
    return { mask: wholeDword, value: (id | (version << 16) | (next << 20)) >>> 0 };
  }

  private next(next: number): Omit<ConfigPatch, 'offset'> {
    if (this.space === 'standard') return { mask: standardNextMask, value: next << 8 };
    return { mask: extendedNextMask, value: (next << 20) >>> 0 };
  }

  /** The pointer in the header, and the status bit that says whether it means anything. */
  private headPatches(): ConfigPatch[] {
    const first = this.list[0]?.offset ?? 0;
    const shift = (this.pointerAt % 4) * 8;
    return [
      { offset: trusted(0x04), mask: announcedMask, value: first === 0 ? 0 : announcedMask },
      { offset: trusted(this.pointerAt & ~3), mask: (0xff << shift) >>> 0, value: (first << shift) >>> 0 },
    ];
  }
}

/** Offsets in a list come from aligned pointers or from a verified place. */
function trusted(offset: number): ConfigOffset {
  const parsed = ConfigOffset.from(offset);
  if (!parsed.ok) throw new RangeError(`a list entry at ${offset} cannot be: ${parsed.refusal.limit}`);
  return parsed.value;
}
