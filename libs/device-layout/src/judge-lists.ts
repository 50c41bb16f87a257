import { judgePromises } from './judge-registers.js';
import { type LayoutCapability } from './layout-document.js';
import { type VerdictDraft } from './verdict-draft.js';

/** A capability the hardware had at the source needs one of its kind behind it. */
export function judgePhysical(one: LayoutCapability, draft: VerdictDraft): void {
  const { layout, to, obeys, reasons, behind } = draft;
  const { space, id, name, offset } = one;
  if (space === 'extended' && to.vmm.hides.includes(id) && !obeys) {
    reasons.push({ kind: 'vmm-hides-it', space, id, name, offset });
    return;
  }
  const alike = layout.capabilities.filter((other) =>
    other.origin === 'physical' && other.space === space && other.id === id);
  const candidates = to.survey.capabilities.filter((other) => other.space === space && other.id === id);
  const there = candidates.find((other) => other.offset === offset) ?? candidates[alike.indexOf(one)];
  if (!there) {
    reasons.push({ kind: 'capability-missing', space, id, name, offset });
    return;
  }
  behind.set(one, there);
  if (there.offset !== offset && !obeys) {
    reasons.push({ kind: 'offset-would-move', space, id, name, layout: offset, destination: there.offset });
    return;
  }
  if (there.length < one.length || (there.length > one.length && !obeys)) {
    reasons.push({ kind: 'capability-shape-differs', space, id, name, member: 'length', offset, layout: one.length,
      destination: there.length });
  }
  if (there.version !== one.version && !obeys) {
    reasons.push({ kind: 'capability-shape-differs', space, id, name, member: 'version', offset, layout: one.version,
      destination: there.version });
  }
  judgePromises(one, there, draft);
}

/** What the destination lists and the layout does not show. */
export function judgeExtras({ layout, to, obeys, behind, reasons, hidden }: VerdictDraft): void {
  const used = new Set(behind.values());
  for (const one of to.survey.capabilities) {
    if (used.has(one)) continue;
    const { space, id, offset, row: { name } } = one;
    const isShown = layout.capabilities.some((other) =>
      other.space === space && other.id === id && other.offset === offset);
    if (isShown && !obeys) continue;
    if (obeys || (space === 'extended' && to.vmm.hides.includes(id))) hidden.push({ space, id, name, offset });
    else if (!(id === 0 && offset === 0x100)) reasons.push({ kind: 'capability-extra', space, id, name, offset });
  }
}

/** The order in which a walk meets what both have. */
export function judgeOrder({ layout, to, obeys, reasons }: VerdictDraft): void {
  if (obeys) return;
  for (const space of ['standard', 'extended'] as const) {
    const ours = space === 'standard' ? layout.standardList : layout.extendedList;
    const theirs = to.survey.capabilities.filter((one) => one.space === space).map(({ offset }) => offset);
    const both = ours.filter((offset) => theirs.includes(offset));
    const there = theirs.filter((offset) => ours.includes(offset));
    if (both.some((offset, index) => offset !== there[index])) {
      reasons.push({ kind: 'list-order-differs', space, layout: both, destination: there });
    }
  }
}
