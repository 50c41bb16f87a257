import { type Pasid } from '@cadastre/config-space';
import { type PageTable } from './page-table.js';

/** Slots of each of the four levels: PASIDs have 20 bits, so a full table has as many on all of them. */
const fanOut = 32;

/** PASIDs of the two lower levels together. */
export const blockPasids = fanOut ** 2;

/** Slots up to the last that is taken: equal tables are equal to the letter, however they came about. */
type Slots<Item> = readonly (Item | null)[];

/** What each of 1,024 PASIDs in a row is attached to. */
export type PasidBlock = Slots<Slots<PageTable>>;

/**
 * What each PASID of a device is attached to. A table never changes: a change copies one row of slots on each of four
 * levels and shares the rest, so that a hundred thousand PASIDs cost as much to change as one.
 */
export interface PasidTable {
  readonly count: number;
  readonly blocks: Slots<Slots<PasidBlock>>;
}

export const PasidTable = {
  empty: { count: 0, blocks: [] } as PasidTable,

  get({ blocks }: PasidTable, pasid: Pasid): PageTable | null {
    const [first, second, third, fourth] = digits(pasid);
    return blocks[first]?.[second]?.[third]?.[fourth] ?? null;
  },

  /** The table with `attached` at the PASID; with null, without it. */
  with(table: PasidTable, pasid: Pasid, attached: PageTable | null): PasidTable {
    const [first, second, third, fourth] = digits(pasid);
    const row = table.blocks[first] ?? [];
    const block = row[second] ?? [];
    const slots = block[third] ?? [];
    const before = slots[fourth] ?? null;
    const changed = put(block, third, unlessEmpty(put(slots, fourth, attached)));
    return {
      count: table.count - (before === null ? 0 : 1) + (attached === null ? 0 : 1),
      blocks: put(table.blocks, first, unlessEmpty(put(row, second, unlessEmpty(changed)))),
    };
  },

  /** PASIDs above `after` in ascending order, at most `limit`. */
  page(table: PasidTable, after: number, limit: number): readonly (readonly [Pasid, PageTable])[] {
    const found: (readonly [Pasid, PageTable])[] = [];
    for (const [first, block] of PasidTable.blocks(table, after + 1)) {
      for (const [slot, attached] of PasidTable.rows(block)) {
        const pasid = first + slot as Pasid;
        if (pasid <= after) continue;
        if (found.length === limit) return found;
        found.push([pasid, attached]);
      }
    }
    return found;
  },

  /** The blocks that hold anything from the PASID `from` on, each with its first PASID. */
  *blocks({ blocks }: PasidTable, from = 0): Generator<readonly [first: number, block: PasidBlock]> {
    for (let index = Math.floor(from / blockPasids); index < blocks.length * fanOut; index += 1) {
      const block = blocks[Math.floor(index / fanOut)]?.[index % fanOut];
      if (block) yield [index * blockPasids, block];
    }
  },

  /** The table of these blocks, which hold so many PASIDs together. */
  of(count: number, blocks: Iterable<readonly [first: number, block: PasidBlock]>): PasidTable {
    let rows: PasidTable['blocks'] = [];
    for (const [first, block] of blocks) {
      const index = first / blockPasids;
      const row = rows[Math.floor(index / fanOut)] ?? [];
      rows = put(rows, Math.floor(index / fanOut), put(row, index % fanOut, block));
    }
    return { count, blocks: rows };
  },

  /** What a block holds, each with its number in the block. */
  *rows(block: PasidBlock): Generator<readonly [slot: number, attached: PageTable]> {
    for (const [third, slots] of block.entries()) {
      for (const [fourth, attached] of (slots ?? []).entries()) {
        if (attached) yield [third * fanOut + fourth, attached];
      }
    }
  },
};

function digits(pasid: Pasid): readonly [number, number, number, number] {
  return [pasid >>> 15, (pasid >>> 10) & 31, (pasid >>> 5) & 31, pasid & 31];
}

function unlessEmpty<Item>(slots: Slots<Item>): Slots<Item> | null {
  return slots.length === 0 ? null : slots;
}

function put<Item>(slots: Slots<Item>, index: number, item: Item | null): Slots<Item> {
  const copy = slots.slice();
  while (copy.length < index) copy.push(null);
  copy[index] = item;
  while (copy.at(-1) === null) copy.pop();
  return copy;
}
