import { ByteRange, type ConfigSpace } from '@cadastre/config-space';
import { type RuledRange, type RuleName } from '@cadastre/vmm-profiles';
import { identityBytes, identityFieldNames } from './layout-operation.js';
import { patchesBetween } from './patches-between.js';
import { type UnshownBecause, type VerdictReason } from './verdict.js';
import { type VerdictDraft } from './verdict-draft.js';

/** A reason with the rule that wrote the bytes it is about, where one did. */
export function causedBy(reason: UnshownBecause, draft: VerdictDraft): VerdictReason {
  // Of those known, one saves nothing.
  if (reason.kind === 'vmm-cannot-migrate') return { ...reason, rule: 'O4' };
  for (const range of rangesOf(reason, draft)) {
    const rule = ruleOver(range, draft.ruled);
    if (rule !== undefined) return { ...reason, rule };
  }
  return reason;
}

/** The DWORDs in which one space is not the other, by the rule that makes them so. */
export function ruledBetween(from: ConfigSpace, to: ConfigSpace, rule: RuleName): readonly RuledRange[] {
  return patchesBetween(from, to).map(({ offset }) => ({ offset, length: 4, rule }));
}

function ruleOver(range: ByteRange, ruled: readonly RuledRange[]): RuleName | undefined {
  return ruled.findLast((one) => ByteRange.overlaps(one, range))?.rule;
}

/** Where the cause of a reason can be: the likeliest bytes first. */
function rangesOf(reason: UnshownBecause, { layout }: VerdictDraft): readonly ByteRange[] {
  switch (reason.kind) {
    case 'bytes-differ': return [{ offset: reason.offset, length: reason.length }];
    case 'bar-differs': return reason.of === 'function' ? [{ offset: 0x10 + 4 * reason.bar, length: 4 }] : [];
    case 'identity-differs': return identityRanges(reason.field);
    case 'offset-would-move': return [headerAt(reason.destination), headerAt(reason.layout)];
    case 'capability-missing': case 'capability-extra': case 'vmm-hides-it': case 'vmm-cannot-place-it':
      return [headerAt(reason.offset)];
    case 'capability-shape-differs': case 'register-weaker': case 'register-differs': {
      const { space, offset } = reason;
      const found = layout.capabilities.find((one) => one.space === space && one.offset === offset);
      const header = space === 'standard' ? 2 : 4;
      return found && found.length > header ? [{ offset: offset + header, length: found.length - header }] : [];
    }
    case 'function-unfit': case 'vmm-cannot-migrate': case 'does-not-start': case 'config-size-smaller':
    case 'place-taken': case 'forbidden': case 'seen-in-use': case 'list-order-differs': case 'bar-size-differs':
      return [];
  }
}

function headerAt(offset: number): ByteRange {
  return { offset, length: 4 };
}

function identityRanges(field: Extract<UnshownBecause, { kind: 'identity-differs' }>['field']): readonly ByteRange[] {
  if (field === 'headerType') return [{ offset: 0x0e, length: 1 }];
  const named = identityFieldNames.find((one) => one === field);
  return named ? identityBytes(named).map((offset) => ({ offset, length: 1 })) : [];
}
