import { type Listed } from '@cadastre/views';
import { type LedgerRefusal } from '../outcome.js';

/** A page of a list, or the refusal of a view that stands still: half a list is not shown for a whole one. */
export type ListOutcome<Row> =
  | { readonly kind: 'found'; readonly rows: readonly Row[];
      /** Whether others follow. */
      readonly more: boolean }
  | { readonly kind: 'refused'; readonly refusal: Extract<LedgerRefusal, { kind: 'view-halted' }> };

export async function answered<Row>(list: Promise<Listed<Row>>): Promise<ListOutcome<Row>> {
  const listed = await list;
  if (listed.kind === 'halted') return { kind: 'refused', refusal: { kind: 'view-halted', ...listed.halt } };
  return { kind: 'found', rows: listed.rows, more: listed.more };
}
