import { type Capability, survey as surveySpace } from '@cadastre/config-space';
import { isNullHead, kindOf, pairsOf } from './capability-pairs.js';
import { judgePromises } from './judge-registers.js';
import { type LayoutCapability } from './layout-document.js';
import { type VerdictDraft } from './verdict-draft.js';

/** Each capability the hardware had at the source needs one of its kind behind it. */
export function judgePhysical(draft: VerdictDraft): void {
  const { layout, to: { survey } } = draft;
  const ours = layout.capabilities.filter(({ origin }) => origin === 'physical');
  const pairs = pairsOf(ours, survey.capabilities, (one, other) =>
    one.id === other.id && kindOf(one, layout.space) === kindOf(other, survey.space));
  for (const one of ours) judgePair(one, pairs.get(one), draft);
}

function judgePair(one: LayoutCapability, there: Capability | undefined, draft: VerdictDraft): void {
  const { to, obeys, reasons, behind } = draft;
  const { space, id, name, offset } = one;
  if (space === 'extended' && to.vmm.hides.includes(id) && !obeys && !isNullHead(one)) {
    reasons.push({ kind: 'vmm-hides-it', space, id, name, offset });
    return;
  }
  if (!there) {
    if (!isNullHead(one)) reasons.push({ kind: 'capability-missing', space, id, name, offset });
    return;
  }
  behind.set(one, there);
  if (there.offset !== offset && !obeys) {
    reasons.push({ kind: 'offset-would-move', space, id, name, layout: offset, destination: there.offset });
    return;
  }
  if ((there.length < one.length || (there.length > one.length && !obeys)) && isLengthTold(one, there, draft)) {
    reasons.push({ kind: 'capability-shape-differs', space, id, name, member: 'length', offset, layout: one.length,
      destination: there.length });
  }
  if (there.version !== one.version && !obeys) {
    reasons.push({ kind: 'capability-shape-differs', space, id, name, member: 'version', offset, layout: one.version,
      destination: there.version });
  }
  judgePromises(one, there, draft);
}

/** Where nothing tells a length, a capability reaches to its neighbour, and says nothing about itself (reading B). */
function isLengthTold({ space, offset }: LayoutCapability, there: Capability, { layout }: VerdictDraft): boolean {
  return !there.opaque || surveySpace(layout.space).capabilities.some((one) =>
    one.space === space && one.offset === offset && !one.opaque);
}

/** What the destination lists and the layout does not show. */
export function judgeExtras({ layout, to, obeys, behind, reasons, hidden }: VerdictDraft): void {
  const used = new Set(behind.values());
  for (const one of to.survey.capabilities) {
    if (used.has(one) || isNullHead(one)) continue;
    const { space, id, offset, row: { name } } = one;
    const isShown = layout.capabilities.some((other) =>
      other.space === space && other.id === id && other.offset === offset);
    if (isShown && !obeys) continue;
    if (obeys || (space === 'extended' && to.vmm.hides.includes(id))) hidden.push({ space, id, name, offset });
    else reasons.push({ kind: 'capability-extra', space, id, name, offset });
  }
}

/** The order in which a walk meets what is the same on both sides, in the same place. */
export function judgeOrder({ layout, to, obeys, behind, reasons }: VerdictDraft): void {
  if (obeys) return;
  for (const space of ['standard', 'extended'] as const) {
    const here = layout.capabilities.filter((guest) => guest.space === space).flatMap((guest) => {
      const physical = behind.get(guest);
      return physical?.offset === guest.offset ? [physical] : [];
    });
    const there = to.survey.capabilities.filter((one) => one.space === space && here.includes(one));
    if (here.some((one, index) => one !== there[index])) {
      reasons.push({ kind: 'list-order-differs', space, layout: here.map(({ offset }) => offset),
        destination: there.map(({ offset }) => offset) });
    }
  }
}
