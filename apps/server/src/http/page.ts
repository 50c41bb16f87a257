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

  /** The number the cursor leads behind, for lists whose cursors are the numbers of their rows. */
  afterNumber(what: 'a position' | 'a revision' | 'a PASID'): number | undefined {
    if (this.after === undefined) return undefined;
    if (/^\d{1,15}$/.test(this.after)) return Number(this.after);
    throw EdgeProblem.field('/after', this.after.slice(0, 80), `${what}: a whole number from 0`, `not ${what}`);
  }

  /** Where the next page is, as a Link header says it (RFC 8288). What is null is left out. */
  static link(path: string, query: Readonly<Record<string, string | number | null>>): string {
    const given = Object.entries(query).filter(([, value]) => value !== null);
    const written = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    return `<${path}?${written.toString()}>; rel="next"`;
  }
}
