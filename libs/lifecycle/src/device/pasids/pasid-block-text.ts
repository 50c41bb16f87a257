import { type HwptFlag, type PageTable, type RequestedPageTable } from './page-table.js';
import { blockPasids, type PasidBlock, PasidTable } from './pasid-table.js';

/** What is alike in most rows of a block is written once: the kind that was asked for, and the flags that came back. */
interface BlockText {
  readonly alike: readonly (readonly [kind: RequestedPageTable['kind'], flags: readonly HwptFlag[]])[];
  readonly rows: readonly (readonly [
    slot: number, alike: number, ptId: number, resultingPtId: number, faultId: number | null])[];
}

/** A block as text: the same block is the same text. */
export function writePasidBlock(block: PasidBlock): string {
  const alike = new Map<string, readonly [number, BlockText['alike'][number]]>();
  const rows = [...PasidTable.rows(block)].map(([slot, { requested, resultingPtId, hwptFlags, faultId }]) => {
    const name = [requested.kind, ...hwptFlags].join();
    const known = alike.get(name) ?? [alike.size, [requested.kind, hwptFlags]] as const;
    alike.set(name, known);
    return [slot, known[0], requested.ptId, resultingPtId, faultId] as const;
  });
  return JSON.stringify({ alike: [...alike.values()].map(([, one]) => one), rows } satisfies BlockText);
}

/** Reads back what `writePasidBlock` wrote. */
export function readPasidBlock(text: string): PasidBlock {
  const { alike, rows } = JSON.parse(text) as BlockText;
  const side = Math.sqrt(blockPasids);
  const block: (PageTable | null)[][] = [];
  for (const [slot, index, ptId, resultingPtId, faultId] of rows) {
    const [kind, hwptFlags] = alike[index] ?? [];
    if (!kind || !hwptFlags) throw new Error(`a block of PASIDs names kind ${index} of ${alike.length}`);
    const at = Math.floor(slot / side);
    while (block.length <= at) block.push([]);
    const slots = block[at] ?? [];
    while (slots.length < slot % side) slots.push(null);
    slots.push({ requested: { kind, ptId }, resultingPtId, hwptFlags, faultId });
  }
  return block.map((slots) => (slots.length === 0 ? null : slots));
}
