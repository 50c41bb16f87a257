import { ConfigOffset, type ConfigPatch, extendedSpaceAt, type Survey } from '@cadastre/config-space';
import { type ListEntry } from './layout.js';

/** Bits 31:20 of an extended header. PCIe Base Specification, "PCI Express Extended Capability Header". */
const nextMask = 0xfff00000;
const wholeDword = 0xffffffff;

/**
 * The extended list while capabilities are linked into it. Entries are in walk order: whatever the offsets are,
 * a list of distinct entries, each linked to the one behind it, cannot loop.
 */
export class ExtendedList {
  private constructor(private readonly list: ListEntry[]) {}

  static of(survey: Survey): ExtendedList {
    return new ExtendedList(survey.capabilities
      .filter((one) => one.space === 'extended')
      .map(({ offset, id, version }) => ({ offset, id, version, origin: 'physical' })));
  }

  get entries(): readonly ListEntry[] {
    return this.list;
  }

  /** True once a link into an empty list has put a header of our own at 0x100. */
  get hasAnchor(): boolean {
    return this.list[0]?.origin === 'anchor';
  }

  /** True when linking something at `offset` first needs a header at 0x100, where every walk begins. */
  needsAnchorFor(offset: number): boolean {
    return this.list.length === 0 && offset !== extendedSpaceAt;
  }

  /**
   * Links an entry behind the last one a walk from 0x100 meets at or below it (fact Q17), so that an ascending list
   * stays ascending. An empty list gets an anchor at 0x100: ID 0, version 0 (facts K12, Q10).
   */
  link(entry: ListEntry): void {
    if (this.needsAnchorFor(entry.offset)) {
      this.list.push({ offset: extendedSpaceAt, id: 0, version: 0, origin: 'anchor' });
    }
    const stop = this.list.findIndex((one) => one.offset > entry.offset);
    this.list.splice(stop < 0 ? this.list.length : stop, 0, entry);
  }

  /**
   * The header DWORDs that differ from the original: whole ones for what we added, next pointers for what now leads
   * to it. Nothing else is mended, not even a list the hardware broke.
   */
  headerPatches(): readonly ConfigPatch[] {
    const patches: ConfigPatch[] = [];
    this.list.forEach((entry, index) => {
      const after = this.list[index + 1];
      const next = ((after?.offset ?? 0) << 20) >>> 0;
      if (entry.origin !== 'physical') {
        const value = (entry.id | (entry.version << 16) | next) >>> 0;
        patches.push({ offset: trusted(entry.offset), mask: wholeDword, value });
      } else if (after?.origin === 'synthetic') {
        patches.push({ offset: trusted(entry.offset), mask: nextMask, value: next });
      }
    });
    return patches;
  }
}

/** Offsets in a list come from aligned pointers or from a verified place. */
function trusted(offset: number): ConfigOffset {
  const parsed = ConfigOffset.from(offset);
  if (!parsed.ok) throw new RangeError(`a list entry at ${offset} cannot be: ${parsed.refusal.limit}`);
  return parsed.value;
}
