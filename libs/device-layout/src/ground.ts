import { type ByteRange, type CapabilitySpace, type Survey } from '@cadastre/config-space';
import { type CapabilityList } from './capability-list.js';
import { type Evidence } from './evidence.js';
import { type QuirkRow } from './quirk-row.js';
import { type ForbiddenRange, type Strategy } from './refusal.js';
import { type SyntheticName } from './synthetic-capability.js';

/**
 * What the operator allows. Empty `allowedRanges` allow the whole extended space; they bind capabilities, not the
 * anchor an empty list needs at 0x100. Ranges below 0x100 bind standard capabilities alone, which without one are
 * free. `forbiddenRanges` bind everything.
 */
export interface PlacementPolicy {
  readonly strategies: readonly Strategy[];
  readonly pinned: Readonly<Partial<Record<SyntheticName, number>>>;
  /** A pinned capability goes to its offset or nowhere, whatever the strategies are for others. */
  readonly pinnedOrNowhere?: true;
  readonly allowedRanges: readonly ByteRange[];
  readonly forbiddenRanges: readonly ForbiddenRange[];
}

/** The physical function of a VF, when the VF has one: its address, and its survey when it is registered. */
export interface PhysicalFunction {
  readonly address: string | null;
  readonly survey: Survey | null;
}

/** Where a persona has the capabilities it adds. */
export interface PersonaPlaces {
  /** `name@version`. */
  readonly persona: string;
  readonly places: Readonly<Partial<Record<SyntheticName, number>>>;
}

/** Where a `ToldRoom` comes from: an operator's word, a DVSEC the core can read, or a finding of a plugin. */
export type ToldBy = 'operator' | 'dvsec' | 'plugin';

/** Room somebody tells of. */
export interface ToldRoom {
  readonly by: ToldBy;
  /** Who told: `DVSEC 10de:0003 revision 0 at 0x400`, `plugin cxl 1.2.0`; of an operator whatever they wrote. */
  readonly source: string;
  /** The capability the room is for; null for any. */
  readonly name: SyntheticName | null;
  /** A range to look in, or exactly the bytes of the capability. */
  readonly range: ByteRange;
}

/** Bytes something of this layout already holds. */
export interface TakenRange extends ByteRange {
  readonly by: string;
  /** An operation says what these bytes read: nothing else may, not even the capability they belong to. */
  readonly isOperation?: true;
}

/** Everything one placement is decided from. */
export interface Ground {
  readonly space: CapabilitySpace;
  readonly survey: Survey;
  readonly physicalFunction: PhysicalFunction | null;
  readonly policy: PlacementPolicy;
  /** What was placed before in the same layout, or is kept for what was placed in an earlier one. */
  readonly taken: readonly TakenRange[];
  readonly list: CapabilityList;
  /** Whether a guest meets PCI Express in the standard list, once what is to be hidden is hidden. */
  readonly hasExpress: boolean;
  readonly persona: PersonaPlaces | null;
  readonly told: readonly ToldRoom[];
  /** Rows that are about this function. */
  readonly quirks: readonly QuirkRow[];
  readonly evidence: Evidence | null;
}
