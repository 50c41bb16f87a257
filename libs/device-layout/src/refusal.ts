import { type ByteRange, type Finding, type Owner } from '@cadastre/config-space';
import { type SyntheticName } from './synthetic-capability.js';

/** How a place is chosen: the operator's offset, the hardware's (or the PF's), or a gap proven free. */
export const strategies = ['pinned', 'physical', 'gap'] as const;
export type Strategy = (typeof strategies)[number];

/** Bytes no layout may use, and who says so. */
export interface ForbiddenRange extends ByteRange {
  readonly reason: string;
}

/** Why one place cannot be used. Every number that mattered is here. */
export type Because =
  | { readonly kind: 'no-offset-pinned' }
  | { readonly kind: 'offset-unaligned'; readonly offset: number; readonly alignment: 4 }
  | { readonly kind: 'outside-extended-space'; readonly offset: number; readonly length: number;
      readonly least: number; readonly most: number }
  | { readonly kind: 'outside-allowed-ranges'; readonly offset: number; readonly length: number;
      readonly allowed: readonly ByteRange[] }
  | { readonly kind: 'forbidden'; readonly offset: number; readonly length: number;
      readonly range: ByteRange; readonly reason: string }
  | { readonly kind: 'offset-occupied'; readonly offset: number; readonly length: number;
      readonly by: string; readonly owner: Owner | 'synthetic'; readonly from: number; readonly to: number }
  | { readonly kind: 'not-in-hardware'; readonly id: number }
  | { readonly kind: 'physical-function-unknown'; readonly pf: string | null }
  | { readonly kind: 'listed-already'; readonly offset: number }
  | { readonly kind: 'listed-twice'; readonly id: number; readonly offset: number; readonly again: number }
  /** An empty list has its first header at 0x100, and that is not free. */
  | { readonly kind: 'list-cannot-begin'; readonly offset: number; readonly because: Because }
  | { readonly kind: 'gap-too-short'; readonly offset: number; readonly length: number; readonly needed: number }
  | { readonly kind: 'further-gaps'; readonly count: number }
  | { readonly kind: 'no-gap'; readonly needed: number };

/** A place, or a whole strategy, that was considered and not taken. */
export interface RefusedAlternative {
  readonly strategy: Strategy;
  readonly because: Because;
}

/** Something true of a chosen place that a careful operator wants to know (reading F8). */
export type Caution =
  | { readonly kind: 'no-extended-list' }
  | { readonly kind: 'no-express-capability' }
  | { readonly kind: 'right-behind-capability'; readonly name: string; readonly end: number }
  | { readonly kind: 'inside-weak-header'; readonly id: number; readonly offset: number; readonly length: number }
  /** A VF was placed without looking where its physical function has the capability. */
  | { readonly kind: 'physical-function-not-seen'; readonly pf: string | null };

/** Findings that leave nothing to link into: what a guest would walk is not a list. */
export const breaksTheList = [
  'capability-list-loops', 'pointer-below-space', 'header-all-ones', 'header-zero', 'header-not-captured',
] as const satisfies readonly Finding['kind'][];
export type BrokenList = Extract<Finding, { readonly kind: (typeof breaksTheList)[number] }>;

/** Why no layout was made. */
export type LayoutRefusal =
  | { readonly kind: 'space-not-whole'; readonly capturedBytes: number; readonly sizeBytes: number }
  | { readonly kind: 'function-gone' }
  | { readonly kind: 'no-extended-space'; readonly sizeBytes: number }
  | { readonly kind: 'extended-space-unreadable' }
  | { readonly kind: 'extended-list-broken'; readonly finding: BrokenList }
  | { readonly kind: 'capability-wanted-twice'; readonly name: SyntheticName }
  | { readonly kind: 'no-place'; readonly name: SyntheticName; readonly length: number;
      readonly refused: readonly RefusedAlternative[] };
