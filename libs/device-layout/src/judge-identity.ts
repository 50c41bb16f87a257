import { identityOf, type LayoutIdentity } from './layout-document.js';
import { type VerdictDraft } from './verdict-draft.js';

/** Who the function says it is. A VMM that obeys documents lets it say otherwise, but not be another kind. */
export function judgeIdentity({ layout, to, obeys, reasons }: VerdictDraft): void {
  const there = identityOf(to.survey.space);
  for (const field of Object.keys(there) as (keyof LayoutIdentity)[]) {
    if (layout.identity[field] === there[field] || (obeys && isSameKind(field, layout.identity, there))) continue;
    reasons.push({ kind: 'identity-differs', field, layout: layout.identity[field], destination: there[field] });
  }
}

/** What makes a function another kind of function, whatever its IDs are made to say. */
function isSameKind(field: keyof LayoutIdentity, here: LayoutIdentity, there: LayoutIdentity): boolean {
  if (field === 'vendorId' || field === 'classCode') return here[field] === there[field];
  // Bit 7 tells of the functions beside it, and not of this one.
  return field !== 'headerType' || ((here.headerType ^ there.headerType) & 0x7f) === 0;
}
