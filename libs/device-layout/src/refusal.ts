import { type ByteRange, type Finding, type Owner } from '@cadastre/config-space';
import { type LayoutOperation, type OperationObstacle } from './layout-operation.js';
import { type SyntheticName } from './synthetic-capability.js';

/**
 * How a place is chosen: a persona's, the operator's offset, the hardware's (or the PF's), room the device tells of, a
 * row of a table, or a gap proven free.
 */
export const strategies = ['persona', 'pinned', 'physical', 'dvsec', 'table', 'gap'] as const;
export type Strategy = (typeof strategies)[number];

/** What is tried where a policy names nothing. A pinned offset is for an operator to ask for. */
export const defaultStrategies: readonly Strategy[] = ['persona', 'physical', 'dvsec', 'table', 'gap'];

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
  | { readonly kind: 'outside-standard-space'; readonly offset: number; readonly length: number;
      readonly least: number; readonly most: number }
  | { readonly kind: 'outside-allowed-ranges'; readonly offset: number; readonly length: number;
      readonly allowed: readonly ByteRange[] }
  | { readonly kind: 'forbidden'; readonly offset: number; readonly length: number;
      readonly range: ByteRange; readonly reason: string }
  | { readonly kind: 'offset-occupied'; readonly offset: number; readonly length: number;
      readonly by: string; readonly owner: Owner | 'synthetic'; readonly from: number; readonly to: number }
  /** Free here, and in use in another capture of the same model. */
  | { readonly kind: 'seen-in-use'; readonly offset: number; readonly length: number;
      readonly at: number; readonly owner: Owner; readonly source: string }
  | { readonly kind: 'no-persona' }
  | { readonly kind: 'not-in-persona'; readonly persona: string }
  | { readonly kind: 'nothing-told' }
  | { readonly kind: 'no-row' }
  /** The capability has places of its own, and a gap is none of them. */
  | { readonly kind: 'place-is-fixed'; readonly offsets: readonly number[] }
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
  /** A row of the quirk table doubts these bytes. */
  | { readonly kind: 'inside-doubtful-range'; readonly row: string; readonly offset: number; readonly length: number;
      readonly source: string }
  /** Guests do not use the capability in this function, though it is shown. */
  | { readonly kind: 'ignored-by-guests'; readonly row: string; readonly source: string }
  /** Nothing in the hardware lists the capability, and it takes the device to answer for it. */
  | { readonly kind: 'nothing-behind-it'; readonly id: number }
  | { readonly kind: 'inside-weak-header'; readonly id: number; readonly offset: number; readonly length: number }
  /** An earlier layout of the device had it there: a guest that cached the offset must probe anew. */
  | { readonly kind: 'was-elsewhere'; readonly offset: number }
  /** A VF was placed without looking where its physical function has the capability. */
  | { readonly kind: 'physical-function-not-seen'; readonly pf: string | null }
  /** A VF's IDs read all-ones: without its physical function the quirk table is asked by subsystem vendor alone. */
  | { readonly kind: 'ids-not-known'; readonly vendorId: number | null };

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
  | { readonly kind: 'standard-list-broken'; readonly finding: BrokenList }
  | { readonly kind: 'capability-wanted-twice'; readonly name: SyntheticName }
  | { readonly kind: 'capability-not-for-function'; readonly name: SyntheticName; readonly vendorId: number;
      readonly deviceId: number; readonly classCode: number }
  | { readonly kind: 'operation-impossible'; readonly index: number; readonly operation: LayoutOperation;
      readonly because: OperationObstacle }
  | { readonly kind: 'no-place'; readonly name: SyntheticName; readonly length: number;
      readonly refused: readonly RefusedAlternative[] };
