import { identityOf, type LayoutIdentity } from './layout-document.js';
import { type VerdictDraft } from './verdict-draft.js';

/** What makes a function another kind of function, whatever its IDs are made to say. */
const kindFields: readonly (keyof LayoutIdentity)[] = ['vendorId', 'classCode', 'headerType'];
/** Bits of a BAR that say what it is. PCI Local Bus Specification, "Base Address Registers". */
const barKindBits = (bar: number): number => (bar % 2 === 1 ? 0x3 : 0xf);

/** Who the function is, and what its BARs are. */
export function judgeHeader({ layout, to, obeys, reasons }: VerdictDraft): void {
  const there = identityOf(to.survey.space);
  for (const field of Object.keys(there) as (keyof LayoutIdentity)[]) {
    if (layout.identity[field] === there[field] || (obeys && !kindFields.includes(field))) continue;
    reasons.push({ kind: 'identity-differs', field, layout: layout.identity[field], destination: there[field] });
  }
  if ((layout.identity.headerType & 0x7f) !== 0) return;
  for (let bar = 0; bar < 6; bar += 1) {
    const [ours, theirs] = [layout.space.u32(0x10 + 4 * bar), to.survey.space.u32(0x10 + 4 * bar)];
    const [one, other] = [ours & barKindBits(ours), theirs & barKindBits(theirs)];
    if (one !== other) reasons.push({ kind: 'bar-differs', bar, layout: one, destination: other });
    // The upper half of a 64-bit BAR is an address, and has no kind.
    if ((ours & 0x7) === 0x4) bar += 1;
  }
}
