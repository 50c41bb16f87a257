import { type Survey } from '@cadastre/config-space';
import { causedBy } from './caused-by.js';
import { judgeAdded } from './judge-added.js';
import { judgeBytes } from './judge-bytes.js';
import { judgeBars } from './judge-bars.js';
import { judgeIdentity } from './judge-identity.js';
import { judgeExtras, judgeOrder, judgePhysical } from './judge-lists.js';
import { judgeRelocated } from './judge-places.js';
import { judgeIommu } from './judge-registers.js';
import { asBound, asPresented, judgeVmm } from './judge-vmm.js';
import { type LayoutDocument } from './layout-document.js';
import { type Destination, type UnshownBecause, type Verdict } from './verdict.js';
import { emptyDraft, type VerdictDraft } from './verdict-draft.js';

/**
 * Whether a destination can show a layout a guest already runs on, decided before anything is moved: `exact` without
 * doing anything, `obeys` with the knobs named, `consistent` where bytes differ that may, `cannot` with every reason.
 */
export function migrationVerdict(layout: LayoutDocument, to: Destination): Verdict {
  const unfit = whyUnfit(layout, to.survey);
  if (unfit) return verdictOf({ ...emptyDraft(layout, to), reasons: [unfit] });
  const bound = asBound(layout, to);
  const { ruled, ...presented } = asPresented(layout, bound);
  const draft = emptyDraft(layout, presented, ruled);
  if (!bound.isKnown) draft.unchecked.push('vendor and device ID: a VF has them from its physical function');
  judgeVmm(draft);
  judgeIdentity(draft);
  judgePhysical(draft);
  judgeExtras(draft);
  judgeRelocated(draft);
  for (const one of layout.capabilities) {
    if (one.origin === 'synthetic' || one.origin === 'persona') judgeAdded(one, draft);
  }
  judgeOrder(draft);
  judgeIommu(draft);
  judgeBars(draft);
  judgeBytes(draft);
  return verdictOf(draft);
}

function verdictOf(draft: VerdictDraft): Verdict {
  const { layout, obeys, knobs, differences, hidden, unchecked, untoldBars } = draft;
  const reasons = draft.reasons.map((one) => causedBy(one, draft));
  const relocations = [...draft.behind].filter(([guest, physical]) => guest.offset !== physical.offset)
    .map(([{ space, id, name, offset }, physical]) => ({ space, id, name, physical: physical.offset, guest: offset }));
  const shown = differences.some(({ why }) => why === 'shown-by-the-vmm');
  const needsDocument = shown || relocations.length > 0 || hidden.length > 0
    || layout.capabilities.some(({ origin }) => origin === 'synthetic' || origin === 'persona');
  if (obeys && needsDocument) knobs.push({ capability: '*', knob: 'layout', offset: null, value: null });
  const verdict = reasons.length > 0 ? 'cannot'
    : differences.some(({ why }) => why === 'consistent') ? 'consistent' : knobs.length > 0 ? 'obeys' : 'exact';
  return { verdict, reasons, knobs, differences, relocations, hidden, unchecked, untoldBars };
}

function whyUnfit(layout: LayoutDocument, { space, findings }: Survey): UnshownBecause | undefined {
  if (!space.isWhole) return { kind: 'function-unfit', problem: `only ${space.capturedBytes} bytes were captured` };
  if (findings.some((one) => one.kind === 'all-ones' && one.offset === 0)) {
    return { kind: 'function-unfit', problem: 'the function does not answer' };
  }
  if (space.size >= layout.configSize) return undefined;
  return { kind: 'config-size-smaller', layout: layout.configSize, destination: space.size };
}
