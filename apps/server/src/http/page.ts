import { EdgeProblem } from '../problems/edge-problem.js';

const limitMax = 1_000;
const limitDefault = 100;

/** `?after=&limit=` of a list. */
export class Page {
  private constructor(readonly after: string | undefined, readonly limit: number) {}

  /** Refuses a limit outside 1..1000. */
  static from(query: Readonly<Record<string, unknown>>): Page {
    const { after, limit = String(limitDefault) } = query;
    if (typeof limit !== 'string' || !/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > limitMax) {
      throw EdgeProblem.field('/limit', limit, `1..${limitMax}`, 'not a page size');
    }
    if (after !== undefined && typeof after !== 'string') {
      throw EdgeProblem.field('/after', after, 'one cursor', 'given twice');
    }
    return new Page(after === '' ? undefined : after, Number(limit));
  }

  /** The position the cursor leads behind, for the log, whose cursors are positions. */
  afterPosition(): number | undefined {
    if (this.after === undefined) return undefined;
    if (/^\d{1,15}$/.test(this.after)) return Number(this.after);
    throw EdgeProblem.field('/after', this.after.slice(0, 80), 'a position: a whole number from 0', 'not a position');
  }
}
