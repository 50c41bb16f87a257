import { type Pasid } from '@cadastre/config-space';
import { type PageTable } from './page-table.js';

/** PASIDs in one chunk: both levels of a full table have as many slots, since PASIDs have 20 bits. */
const chunkPasids = 1_024;

/** Slots up to the last that is taken: equal tables are equal to the letter, however they came about. */
type Slots<Item> = readonly (Item | null)[];

/**
 * What each PASID of a device is attached to. A table never changes: a change copies one chunk and the list of chunks
 * and shares the rest, so that a hundred thousand PASIDs cost as much to change as one.
 */
export interface PasidTable {
  readonly count: number;
  readonly chunks: Slots<Slots<PageTable>>;
}

export const PasidTable = {
  empty: { count: 0, chunks: [] } as PasidTable,

  get({ chunks }: PasidTable, pasid: Pasid): PageTable | null {
    return chunks[Math.floor(pasid / chunkPasids)]?.[pasid % chunkPasids] ?? null;
  },

  /** The table with `attached` at the PASID; with null, without it. */
  with(table: PasidTable, pasid: Pasid, attached: PageTable | null): PasidTable {
    const index = Math.floor(pasid / chunkPasids);
    const chunk = put(table.chunks[index] ?? [], pasid % chunkPasids, attached);
    const before = PasidTable.get(table, pasid) === null ? 0 : 1;
    return {
      count: table.count - before + (attached === null ? 0 : 1),
      chunks: put(table.chunks, index, chunk.length === 0 ? null : chunk),
    };
  },

  /** PASIDs above `after` in ascending order, at most `limit`. */
  page({ chunks }: PasidTable, after: number, limit: number): readonly (readonly [Pasid, PageTable])[] {
    const found: (readonly [Pasid, PageTable])[] = [];
    for (let index = Math.max(0, Math.floor((after + 1) / chunkPasids)); index < chunks.length; index += 1) {
      for (const [slot, attached] of (chunks[index] ?? []).entries()) {
        const pasid = index * chunkPasids + slot as Pasid;
        if (attached === null || pasid <= after) continue;
        if (found.length === limit) return found;
        found.push([pasid, attached]);
      }
    }
    return found;
  },
};

function put<Item>(slots: Slots<Item>, index: number, item: Item | null): Slots<Item> {
  const copy = slots.slice();
  while (copy.length < index) copy.push(null);
  copy[index] = item;
  while (copy.at(-1) === null) copy.pop();
  return copy;
}
