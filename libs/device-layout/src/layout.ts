import { type ConfigOffset, type ConfigPatch } from '@cadastre/config-space';
import { canonicalJson } from './canonical-json.js';
import { Digest } from './digest.js';
import { type Caution, type RefusedAlternative, type Strategy } from './refusal.js';
import { type SyntheticName, type SyntheticRegisters } from './synthetic-capability.js';

/** One capability the guest sees and the hardware's list does not show that way, and why it is where it is. */
export interface Placement {
  readonly name: SyntheticName;
  readonly id: number;
  readonly version: number;
  readonly offset: ConfigOffset;
  readonly length: number;
  readonly strategy: Strategy;
  readonly reason: PlacementReason;
  readonly cautions: readonly Caution[];
  /** What was considered before this place, in order. */
  readonly refused: readonly RefusedAlternative[];
  readonly registers: SyntheticRegisters;
}

export type PlacementReason =
  | { readonly kind: 'operator-pinned-it' }
  | { readonly kind: 'hardware-has-it-here' }
  | { readonly kind: 'physical-function-has-it-here'; readonly pf: string }
  | { readonly kind: 'lowest-proven-gap'; readonly gapOffset: number; readonly gapLength: number };

/** One step of the extended list as the guest walks it. */
export interface ListEntry {
  readonly offset: number;
  readonly id: number;
  readonly version: number;
  readonly origin: 'physical' | 'synthetic' | 'anchor';
}

/** Where things are in the config space a guest sees: patches over the original, and the reason for each placement. */
export interface Layout {
  readonly planner: string;
  readonly placements: readonly Placement[];
  readonly patches: readonly ConfigPatch[];
  /** The whole extended list after the patches, in the order the guest walks it. */
  readonly extendedList: readonly ListEntry[];
}

/** Names a layout by what a guest can tell apart: places, register values and patches; not by how they were found. */
export function layoutDigest(layout: Layout): Digest {
  return Digest.of(canonicalJson({
    placements: layout.placements.map(({ id, version, offset, length, registers }) =>
      ({ id, version, offset, length, registers })),
    patches: layout.patches.map(({ offset, mask, value }) => ({ offset, mask, value })),
  }));
}
