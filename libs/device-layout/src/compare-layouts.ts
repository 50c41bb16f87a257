import { type ByteRange, type CapabilitySpace } from '@cadastre/config-space';
import { kindOf, pairsOf } from './capability-pairs.js';
import {
  type CompareClass, type LayoutDocument, type LayoutIdentity, type WriteBehaviour,
} from './layout-document.js';

/** One thing a guest, or the VMM that shows it, would find different in `b` after `a`. */
export type LayoutDifference =
  | { readonly kind: 'identity'; readonly field: keyof LayoutIdentity; readonly a: number | null;
      readonly b: number | null }
  | { readonly kind: 'config-size'; readonly a: number; readonly b: number }
  | { readonly kind: 'capability-gone' | 'capability-new'; readonly space: CapabilitySpace; readonly id: number;
      readonly name: string; readonly offset: number }
  | { readonly kind: 'capability-moved'; readonly space: CapabilitySpace; readonly id: number; readonly name: string;
      readonly a: number; readonly b: number }
  | { readonly kind: 'capability-differs'; readonly space: CapabilitySpace; readonly id: number; readonly name: string;
      readonly offset: number; readonly member: 'version' | 'length'; readonly a: number; readonly b: number }
  | { readonly kind: 'list-order'; readonly space: CapabilitySpace; readonly a: readonly number[];
      readonly b: readonly number[] }
  /** `compare` is the stricter class of the two: what a migration would make of it. */
  | { readonly kind: 'bytes'; readonly offset: number; readonly length: number; readonly compare: CompareClass;
      readonly a: string; readonly b: string }
  | { readonly kind: 'behaviour'; readonly offset: number; readonly length: number;
      readonly a: { readonly compare: CompareClass; readonly write: WriteBehaviour };
      readonly b: { readonly compare: CompareClass; readonly write: WriteBehaviour } };

/** Everything two layouts show differently, headers first, bytes last, each in order of its offset. */
export function compareLayouts(a: LayoutDocument, b: LayoutDocument): readonly LayoutDifference[] {
  const differences: LayoutDifference[] = [];
  for (const field of Object.keys(a.identity) as (keyof LayoutIdentity)[]) {
    if (a.identity[field] === b.identity[field]) continue;
    differences.push({ kind: 'identity', field, a: a.identity[field], b: b.identity[field] });
  }
  if (a.configSize !== b.configSize) differences.push({ kind: 'config-size', a: a.configSize, b: b.configSize });
  differences.push(...capabilities(a, b));
  return [...differences, ...inOrder(a, b, 'standard'), ...inOrder(a, b, 'extended'), ...bytes(a, b)];
}

function capabilities(a: LayoutDocument, b: LayoutDocument): readonly LayoutDifference[] {
  const differences: LayoutDifference[] = [];
  const pairs = pairsOf(a.capabilities, b.capabilities, (one, other) =>
    one.name === other.name && kindOf(one, a.space) === kindOf(other, b.space));
  for (const one of a.capabilities) {
    const { space, id, name, offset } = one;
    const other = pairs.get(one);
    if (!other) {
      differences.push({ kind: 'capability-gone', space, id, name, offset });
      continue;
    }
    if (other.offset !== offset) {
      differences.push({ kind: 'capability-moved', space, id, name, a: offset, b: other.offset });
    }
    for (const member of ['version', 'length'] as const) {
      if (one[member] === other[member]) continue;
      differences.push({
        kind: 'capability-differs', space, id, name, offset, member, a: one[member], b: other[member] });
    }
  }
  const paired = new Set(pairs.values());
  for (const one of b.capabilities) {
    if (paired.has(one)) continue;
    const { space, id, name, offset } = one;
    differences.push({ kind: 'capability-new', space, id, name, offset });
  }
  return differences;
}

/** The order of what both have: a guest that walks meets it in another order. */
function inOrder(a: LayoutDocument, b: LayoutDocument, space: CapabilitySpace): readonly LayoutDifference[] {
  const [ours, theirs] = space === 'standard' ? [a.standardList, b.standardList] : [a.extendedList, b.extendedList];
  const inA = ours.filter((offset) => theirs.includes(offset));
  const inB = theirs.filter((offset) => ours.includes(offset));
  return inA.every((offset, index) => offset === inB[index]) ? []
    : [{ kind: 'list-order', space, a: ours, b: theirs }];
}

const strictness: readonly CompareClass[] = ['ignore', 'consistent', 'identical'];

function bytes(a: LayoutDocument, b: LayoutDocument): readonly LayoutDifference[] {
  const differences: LayoutDifference[] = [];
  for (const { range, ours, theirs } of commonRanges(a, b)) {
    const compare = strictness.indexOf(ours.compare) > strictness.indexOf(theirs.compare) ? ours.compare
      : theirs.compare;
    for (const { offset, length } of unlikeRuns(range, (at) => a.space.u8(at) === b.space.u8(at))) {
      differences.push({
        kind: 'bytes', offset, length, compare,
        a: hexOf(offset, length, (at) => a.space.u8(at)), b: hexOf(offset, length, (at) => b.space.u8(at)) });
    }
    if (ours.compare === theirs.compare && ours.write === theirs.write) continue;
    differences.push({
      kind: 'behaviour', ...range, a: { compare: ours.compare, write: ours.write },
      b: { compare: theirs.compare, write: theirs.write } });
  }
  return differences;
}

/** Both partitions laid over each other, as far as both spaces reach. */
function commonRanges(a: LayoutDocument, b: LayoutDocument) {
  const common: { range: ByteRange; ours: LayoutDocument['ranges'][number];
    theirs: LayoutDocument['ranges'][number] }[] = [];
  let [first, second] = [0, 0];
  let at = 0;
  for (;;) {
    const ours = a.ranges[first];
    const theirs = b.ranges[second];
    if (!ours || !theirs) return common;
    const [endA, endB] = [ours.offset + ours.length, theirs.offset + theirs.length];
    const end = Math.min(endA, endB);
    common.push({ range: { offset: at, length: end - at }, ours, theirs });
    if (endA === end) first += 1;
    if (endB === end) second += 1;
    at = end;
  }
}

/** Runs of bytes in a range that are not alike. */
export function unlikeRuns(range: ByteRange, alike: (at: number) => boolean): readonly ByteRange[] {
  const runs: ByteRange[] = [];
  const end = range.offset + range.length;
  for (let at = range.offset; at < end; at += 1) {
    if (alike(at)) continue;
    const from = at;
    while (at < end && !alike(at)) at += 1;
    runs.push({ offset: from, length: at - from });
  }
  return runs;
}

/** Bytes as people read them: `5a ff`. */
export function hexOf(offset: number, length: number, byteAt: (at: number) => number): string {
  return Array.from({ length }, (_, index) => byteAt(offset + index).toString(16).padStart(2, '0')).join(' ');
}
