import { type ByteRange, type Survey } from '@cadastre/config-space';
import { type ExtendedList } from './extended-list.js';
import { type Placement } from './layout.js';
import { type ForbiddenRange, type Strategy } from './refusal.js';
import { type SyntheticName } from './synthetic-capability.js';

/**
 * What the operator allows. Empty `allowedRanges` allow the whole extended space; they bind capabilities, not the
 * anchor an empty list needs at 0x100. `forbiddenRanges` bind both.
 */
export interface PlacementPolicy {
  readonly strategies: readonly Strategy[];
  readonly pinned: Readonly<Partial<Record<SyntheticName, number>>>;
  readonly allowedRanges: readonly ByteRange[];
  readonly forbiddenRanges: readonly ForbiddenRange[];
}

/** The physical function of a VF, when the VF has one: its address, and its survey when it is registered. */
export interface PhysicalFunction {
  readonly address: string | null;
  readonly survey: Survey | null;
}

/** Everything one placement is decided from. */
export interface Ground {
  readonly survey: Survey;
  readonly physicalFunction: PhysicalFunction | null;
  readonly policy: PlacementPolicy;
  /** What was placed before in the same layout. */
  readonly placed: readonly Placement[];
  readonly list: ExtendedList;
}
