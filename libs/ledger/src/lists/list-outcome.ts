import { type Listed } from '@cadastre/views';
import { type LedgerRefusal } from '../outcome.js';

export interface ListFound<Row> {
  readonly kind: 'found';
  readonly rows: readonly Row[];
  /** The name others follow behind: that of the last row, or of the last that was looked at; null at the end. */
  readonly next: string | null;
}

export interface ListRefused {
  readonly kind: 'refused';
  readonly refusal: Extract<LedgerRefusal, { kind: 'view-halted' }>;
}

/** A page of a list, or the refusal of a view that stands still: half a list is not shown for a whole one. */
export type ListOutcome<Row> = ListFound<Row> | ListRefused;

/** @param nameOf what a page that begins behind a row is asked for by */
export async function answered<Row>(
  list: Promise<Listed<Row>>, nameOf: (row: Row) => string,
): Promise<ListOutcome<Row>> {
  const listed = await list;
  if (listed.kind === 'halted') return { kind: 'refused', refusal: { kind: 'view-halted', ...listed.halt } };
  const last = listed.rows.at(-1);
  return { kind: 'found', rows: listed.rows, next: listed.more && last ? nameOf(last) : null };
}

/** How many rows one page of the past looks at: each is folded from its stream, whether it fits or not. */
export const scannedMax = 1_000;

/**
 * A page of what rows of the present were at some moment: those that were there and fit, at most `limit`. It may end
 * early, with a name to go on behind, when few of many fit.
 * @param list a page of the rows of the present that can come into question
 */
export async function scanned<Present, Row>(
  list: (after: string, limit: number) => Promise<ListOutcome<Present>>, nameOf: (row: Present) => string,
  rowThen: (row: Present) => Promise<Row | undefined>, after: string, limit: number,
): Promise<ListOutcome<Row>> {
  const rows: Row[] = [];
  let behind = after;
  for (let looked = 0; looked < scannedMax && rows.length < limit;) {
    const page = await list(behind, Math.min(limit, scannedMax - looked));
    if (page.kind === 'refused') return page;
    for (const [index, present] of page.rows.entries()) {
      const row = await rowThen(present);
      if (row) rows.push(row);
      behind = nameOf(present);
      if (rows.length === limit && index < page.rows.length - 1) return { kind: 'found', rows, next: behind };
    }
    looked += page.rows.length;
    if (page.next === null) return { kind: 'found', rows, next: null };
  }
  return { kind: 'found', rows, next: behind };
}
