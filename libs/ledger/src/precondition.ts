import { type ExpectedRevision } from '@cadastre/event-store';
import { type LedgerRefusal, type Precondition } from './outcome.js';

/** Why a caller's precondition does not hold for a stream at this revision; undefined when it holds. */
export function unmet(
  precondition: Precondition, stream: string, revision: ExpectedRevision,
): LedgerRefusal | undefined {
  const actual = revision === 'no-stream' ? null : revision;
  const stale = (expected: string): LedgerRefusal => ({ kind: 'revision-stale', stream, expected, actual });
  switch (precondition.kind) {
    case 'none': return undefined;
    case 'if-none-match-any': return actual === null ? undefined : stale('no such resource');
    case 'if-match-any': return actual === null ? stale('any revision') : undefined;
    case 'if-match': {
      const met = actual !== null && precondition.revisions.includes(actual);
      return met ? undefined : stale(`revision ${precondition.revisions.join(' or ')}`);
    }
  }
}

/** A change of something that exists needs a precondition, so that nobody overwrites what they have not seen. */
export function missing(
  precondition: Precondition, stream: string, revision: ExpectedRevision,
): LedgerRefusal | undefined {
  if (precondition.kind !== 'none' || revision === 'no-stream') return undefined;
  return { kind: 'precondition-required', stream, actual: revision };
}
