import { type IncomingHttpHeaders } from 'node:http';
import { type Precondition } from '@cadastre/ledger';
import { EdgeProblem } from '../problems/edge-problem.js';

/** The strong entity tag of a stream revision. RFC 9110, "ETag". */
export function entityTag(revision: number): string {
  return `"${revision}"`;
}

/** Entity tags in one header: a client knows one revision, seldom two. */
const tagsMax = 16;
const tag = /^"(\d{1,15})"$/;

/** Reads If-Match and If-None-Match of a write. Refuses both at once, weak tags, and anything that is no revision. */
export function preconditionOf(headers: IncomingHttpHeaders): Precondition {
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  if (match !== undefined && noneMatch !== undefined) {
    throw EdgeProblem.field('', `${match} and ${noneMatch}`, 'one of If-Match and If-None-Match', 'both were sent');
  }
  if (noneMatch !== undefined) {
    if (noneMatch.trim() === '*') return { kind: 'if-none-match-any' };
    throw EdgeProblem.field('', noneMatch, 'If-None-Match: * on a write', 'header If-None-Match');
  }
  if (match === undefined) return { kind: 'none' };
  if (match.trim() === '*') return { kind: 'if-match-any' };
  const tags = match.split(',');
  if (tags.length > tagsMax) throw EdgeProblem.field('', tags.length, `${tagsMax} entity tags`, 'header If-Match');
  const revisions = tags.map((one) => {
    const [, revision] = tag.exec(one.trim()) ?? [];
    if (revision === undefined) {
      const limit = 'a revision in double quotes, as an ETag gave it';
      throw EdgeProblem.field('', match.slice(0, 80), limit, 'header If-Match');
    }
    return Number(revision);
  });
  return { kind: 'if-match', revisions };
}

/** True when a reader already has this revision. */
export function readerHas(revision: number, headers: IncomingHttpHeaders): boolean {
  return knows(headers, entityTag(revision));
}

/** True when a reader already has the representation with this tag. RFC 9110, "If-None-Match". */
export function knows(headers: IncomingHttpHeaders, tag: string): boolean {
  const known = headers['if-none-match'];
  return known !== undefined && known.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}
