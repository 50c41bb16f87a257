import { createHash } from 'node:crypto';
import { type Position } from '@cadastre/event-store';
import { type FastifyReply } from 'fastify';
import { EdgeProblem } from '../problems/edge-problem.js';
import { Page } from './page.js';

type ListQuery = Readonly<Record<string, unknown>>;

/** A cursor in the clear: hash of list and filter, then the name it leads behind. */
const cursorForm = /^(?<list>[0-9a-f]{16}) (?<name>[\x21-\x7e]+)$/;

/** One page of a filtered list. Its cursors are opaque, and good for the list and the filter they were given for. */
export class ListPage {
  private readonly page: Page;
  private readonly filter: readonly (readonly [string, string])[];

  /** @param path of the list, for example `/v1/devices` */
  constructor(private readonly path: string, query: ListQuery) {
    this.page = Page.from(query);
    this.filter = Object.entries(query).filter(([name]) => name !== 'after' && name !== 'limit')
      .map(([name, value]) => [name, String(value)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** A page as of a position, which also stands for the instant that was asked for: further pages are of the same. */
  static at(position: Position | null, path: string, query: ListQuery): ListPage {
    return new ListPage(path, position === null ? query : { ...query, at: position });
  }

  get limit(): number {
    return this.page.limit;
  }

  /** The name the cursor leads behind; "" at the beginning. Refuses what is no cursor, and one of another list. */
  after(): string {
    const given = this.page.after;
    if (given === undefined) return '';
    const clear = Buffer.from(given, 'base64url').toString('latin1');
    const { list, name } = cursorForm.exec(clear)?.groups ?? {};
    if (list === undefined || name === undefined || encoded(clear) !== given) {
      throw EdgeProblem.field('/after', given.slice(0, 80), 'the `next` of an earlier page', 'not a cursor');
    }
    if (list === this.hash()) return name;
    const detail = 'the cursor was given for another list, or for this one with another filter';
    throw new EdgeProblem('cursor-of-another-list', `/after: ${detail}; begin without one`, [
      { pointer: '/after', detail, value: given.slice(0, 80), limit: 'the `next` of this list with this filter' },
    ]);
  }

  /** The cursor behind a name, also as the header `Link`; null, and no header, where no row follows. */
  next(reply: FastifyReply, last: string | null): string | null {
    if (last === null) return null;
    const next = encoded(`${this.hash()} ${last}`);
    const query = { ...Object.fromEntries(this.filter), after: next, limit: this.limit };
    void reply.header('link', Page.link(this.path, query));
    return next;
  }

  private hash(): string {
    return createHash('sha256').update(JSON.stringify([this.path, this.filter])).digest('hex').slice(0, 16);
  }
}

function encoded(clear: string): string {
  return Buffer.from(clear, 'latin1').toString('base64url');
}
