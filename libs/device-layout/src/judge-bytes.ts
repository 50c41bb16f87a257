import { ByteRange } from '@cadastre/config-space';
import { hexOf, unlikeRuns } from './compare-layouts.js';
import { type LayoutRange } from './layout-document.js';
import { predictedBytes } from './shown-bytes.js';
import { type VerdictDraft } from './verdict-draft.js';

const identityRanges: readonly ByteRange[] = [
  { offset: 0x00, length: 4 }, { offset: 0x08, length: 4 }, { offset: 0x0e, length: 1 }, { offset: 0x2c, length: 4 }];

/** Every byte that would read otherwise: why it may, or why it may not. */
export function judgeBytes(draft: VerdictDraft): void {
  const { layout, to, obeys, behind, unchecked } = draft;
  const there = to.shown ? to.survey.space.toBytes() : predictedBytes(layout, to.survey, behind, obeys);
  const here = layout.space.toBytes();
  const open = to.shown?.open ?? [];
  const isOpen = (at: number): boolean => open.some((one) => ByteRange.contains(one, { offset: at, length: 1 }));
  for (const one of open) {
    const isJudged = layout.ranges.some((range) => range.compare !== 'ignore' && ByteRange.overlaps(range, one));
    if (isJudged) unchecked.push(`${ByteRange.show(one)}, which ${to.vmm.profile} may show otherwise`);
  }
  for (const range of layout.ranges) {
    for (const run of unlikeRuns(range, (at) => here[at] === there[at] || isOpen(at))) {
      // Identity is judged field by field.
      if (!obeys && identityRanges.some((one) => ByteRange.contains(one, run))) continue;
      judgeRun(run, range, there, draft);
    }
  }
}

function judgeRun(
  run: ByteRange, range: LayoutRange, there: Uint8Array, { layout, to, obeys, reasons, differences }: VerdictDraft,
): void {
  const { offset, length } = run;
  const bytes = {
    layout: hexOf(offset, length, (at) => layout.space.u8(at)),
    destination: hexOf(offset, length, (at) => there[at] ?? 0),
  };
  const { migration, exemptsVendorBytes } = to.vmm;
  const comparesBytes = migration === 'compares-bytes';
  const isVendors = range.provenance.rule === 'VNDR';
  const isGap = range.provenance.rule === 'gap' && range.provenance.by === 'hardware';
  if (range.compare === 'identical' && obeys) {
    differences.push({ offset, length, why: 'shown-by-the-vmm', ...bytes });
  } else if (range.compare === 'identical') {
    reasons.push({ kind: 'bytes-differ', offset, length, why: 'not-identical', ...bytes });
  } else if (comparesBytes && (isGap || (range.compare === 'consistent' && !(isVendors && exemptsVendorBytes)))) {
    reasons.push({ kind: 'bytes-differ', offset, length, why: 'vmm-compares-them', ...bytes });
  } else if (range.compare === 'consistent') differences.push({ offset, length, why: 'consistent', ...bytes });
}
