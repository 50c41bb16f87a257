import { type CapabilitySpace, ok, refuse, type Result } from '@cadastre/config-space';
import { BaselineDraft, type Entry } from './baseline-draft.js';
import { explainRefusal } from './explain.js';
import { type FleetFunction, fleetOf, type FleetRefusal, unfitIn, unlikeIn } from './fleet.js';
import { type LayoutDocument, type LayoutIdentity, type LayoutRange } from './layout-document.js';
import { type LayoutOperation } from './layout-operation.js';
import { layoutDocument } from './make-layout-document.js';
import { planLayout } from './plan-layout.js';

/** Functions one baseline is made of: the fleet of a large site, and a fence. */
export const fleetFunctionsMax = 100_000;

/** Whose doing something is: the first few by name, and how many they are. */
export interface Blamed {
  readonly because: readonly string[];
  readonly count: number;
}

interface Listed {
  readonly space: CapabilitySpace;
  readonly id: number;
  readonly name: string;
  readonly offset: number;
}

/** A capability some function lists that not all have like that: it is left out. */
export interface Dropped extends Listed, Blamed {
  readonly why: 'absent' | 'other-length' | 'other-version' | 'other-hardware' | 'elsewhere';
}

/** A capability that all have, and some elsewhere: a VMM that obeys documents shows it in one place. */
export type Relocated = Listed & Blamed;

/** A promise of a register that not all can keep: the most any function has, what all have, who has least. */
export interface Narrowed extends Blamed {
  readonly name: string;
  readonly offset: number;
  readonly field: string;
  readonly from: number;
  readonly to: number;
}

/** Identity fields that are not the same everywhere; the layout has those of most, and who has others. */
export interface Replaced extends Blamed {
  readonly field: keyof LayoutIdentity;
}

export interface Baseline {
  readonly layout: LayoutDocument;
  readonly dropped: readonly Dropped[];
  readonly relocated: readonly Relocated[];
  readonly narrowed: readonly Narrowed[];
  readonly replaced: readonly Replaced[];
}

export interface BaselineOptions {
  /**
   * Whether a capability may be shown elsewhere than the hardware has it. A baseline is to be worn as a persona, and
   * that takes a VMM that obeys documents, which can; so it may unless this says otherwise.
   */
  readonly relocations?: boolean;
}

export type BaselineRefusal =
  | { readonly kind: 'fleet-empty' }
  | { readonly kind: 'fleet-too-large'; readonly count: number; readonly most: number }
  | FleetRefusal;

/** Why there is no baseline, in one line. */
export function explainBaselineRefusal(refusal: BaselineRefusal): string {
  switch (refusal.kind) {
    case 'fleet-empty': return 'no function was given';
    case 'fleet-too-large': return `${refusal.count} functions were given, ${refusal.most} are the most`;
    case 'function-unfit': return `${refusal.source}: ${refusal.problem}`;
    case 'nothing-in-common':
      return `${refusal.source} has ${refusal.field} 0x${refusal.here.toString(16)}, ${refusal.base} has `
        + `0x${refusal.there.toString(16)}`;
  }
}

/**
 * The greatest layout that all functions can show: capabilities all have in the same shape, promises all can keep.
 * Like the baseline of a CPU, with the reason for all that is left out. The same functions give the same baseline and
 * the same reasons in whatever order they come.
 */
export function baseline(
  functions: readonly FleetFunction[], { relocations = true }: BaselineOptions = {},
): Result<Baseline, BaselineRefusal> {
  const [first, ...rest] = functions;
  if (!first) return refuse({ kind: 'fleet-empty' });
  if (functions.length > fleetFunctionsMax) {
    return refuse({ kind: 'fleet-too-large', count: functions.length, most: fleetFunctionsMax });
  }
  const unfit = unfitIn(functions);
  if (unfit) return refuse(unfit);
  const fleet = fleetOf([first, ...rest]);
  const unlike = unlikeIn(functions, fleet.base);
  if (unlike) return refuse(unlike);
  const draft = new BaselineDraft(fleet, relocations);
  for (const group of fleet.groups) draft.add(group);
  return finish(draft);
}

function finish(draft: BaselineDraft): Result<Baseline, BaselineRefusal> {
  const { base, kept, dropped } = draft;
  const operations: LayoutOperation[] = dropped.filter(({ ofBase }) => ofBase)
    .map(({ space, id, offset, why, because: [first], count }) => ({
      kind: 'hide-capability', space, id, offset,
      reason: `${why} in ${first}${count > 1 ? ` and ${count - 1} more` : ''}` }));
  const fixed = new Set<number>(shownByTheVmm);
  for (const entry of kept) {
    const header = entry.capability.space === 'standard' ? 2 : 4;
    for (let byte = 0; byte < header; byte += 1) fixed.add(entry.capability.offset + byte);
    for (const one of registersOf(entry)) {
      operations.push(one);
      for (let byte = 0; byte < 4; byte += 1) {
        if (((one.mask >>> (8 * byte)) & 0xff) !== 0) fixed.add(one.offset + byte);
      }
    }
  }
  const planned = planLayout({
    survey: base.survey, physicalFunction: null, wanted: [], operations,
    policy: { strategies: [], pinned: {}, allowedRanges: [], forbiddenRanges: [] },
  });
  if (!planned.ok) {
    return refuse({ kind: 'function-unfit', source: base.source, problem: explainRefusal(planned.refusal) });
  }
  const layout = layoutDocument(base.survey, planned.value.layout, planned.value.guestConfigSpace);
  return ok({
    layout: { ...layout, ranges: loosened(layout.ranges, (at) => draft.varies[at] === 1 && !fixed.has(at)) },
    dropped: dropped.map(({ space, id, name, offset, why, because, count }) =>
      ({ space, id, name, offset, why, because, count })),
    relocated: draft.relocated, narrowed: kept.flatMap((one) => one.narrowed()), replaced: draft.replaced,
  });
}

/** Identity and head of the list: who wears a layout shows its own, whatever the hardware has. */
const shownByTheVmm: readonly number[] = [0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b, 0x0e, 0x2c, 0x2d, 0x2e, 0x2f,
  0x34];

/** Registers of the base that promise more than all can keep. */
function registersOf(entry: Entry): readonly Extract<LayoutOperation, { kind: 'replace-register' }>[] {
  const { capability: { offset } } = entry;
  return entry.weakened().map(({ field: { at, lsb, width }, to, because: [first] }) => ({
    kind: 'replace-register', offset: offset + at, mask: (((2 ** width) - 1) * 2 ** lsb) >>> 0,
    value: (to * 2 ** lsb) >>> 0, reason: `the most ${first} can keep` }));
}

/** Bytes that differ in the fleet cannot be promised to be identical: they may differ as they do. */
function loosened(ranges: readonly LayoutRange[], varies: (at: number) => boolean): readonly LayoutRange[] {
  return ranges.flatMap((range) => {
    if (range.compare !== 'identical') return [range];
    const parts: LayoutRange[] = [];
    const end = range.offset + range.length;
    let from = range.offset;
    for (let at = from + 1; at <= end; at += 1) {
      if (at < end && varies(at) === varies(from)) continue;
      const compare = varies(from) ? 'consistent' : 'identical';
      parts.push({ ...range, offset: from, length: at - from, compare });
      from = at;
    }
    return parts;
  });
}
