import { type CapabilitySpace, type ConfigOffset, type ConfigPatch } from '@cadastre/config-space';
import { canonicalJson } from './canonical-json.js';
import { Digest } from './digest.js';
import { type CaptureNamed } from './evidence.js';
import { type ToldBy } from './ground.js';
import { type LayoutOperation } from './layout-operation.js';
import { type Caution, type RefusedAlternative, type Strategy } from './refusal.js';
import { type SyntheticName, type SyntheticRegisters } from './synthetic-capability.js';
import { type Relocation } from './verdict.js';

/** One capability the guest sees and the hardware's list does not show that way, and why it is where it is. */
export interface Placement {
  readonly name: SyntheticName;
  readonly space: CapabilitySpace;
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
  /** `considered`: what was considered when the persona was made, and how it came there, in words. */
  | { readonly kind: 'persona-has-it-here'; readonly persona: string; readonly considered?: readonly string[] }
  | { readonly kind: 'device-told-it'; readonly by: ToldBy; readonly source: string }
  | { readonly kind: 'table-has-it-here'; readonly row: string }
  /** The row of the capability itself names the places it may have. */
  | { readonly kind: 'its-place-is-fixed'; readonly offsets: readonly number[] }
  | { readonly kind: 'lowest-proven-gap'; readonly gapOffset: number; readonly gapLength: number }
  /** Where a guest was found to have it, whatever was decided. */
  | { readonly kind: 'guest-has-it-here'; readonly decided: number };

/** One step of a capability list as the guest walks it. */
export interface ListEntry {
  readonly offset: number;
  readonly id: number;
  readonly version: number;
  readonly origin: 'physical' | 'synthetic' | 'anchor';
}

/** What a decision rested on beside the space itself. */
export interface LayoutEvidence {
  /** Further captures of the same model that told something new of a byte. */
  readonly captures: readonly CaptureNamed[];
  /** How many further captures were looked at. */
  readonly looked: number;
  /** Names of the rows of the quirk table that are about this function. */
  readonly quirks: readonly string[];
  /** Who told of room. */
  readonly told: readonly { readonly by: ToldBy; readonly source: string }[];
}

/** Where things are in the config space a guest sees: patches over the original, and the reason for each placement. */
export interface Layout {
  readonly planner: string;
  readonly placements: readonly Placement[];
  readonly patches: readonly ConfigPatch[];
  /** What was hidden, replaced and scrubbed, as it was asked for. */
  readonly operations: readonly LayoutOperation[];
  /** Capabilities of the hardware that the guest finds elsewhere: of a worn persona, and of nothing else. */
  readonly relocations: readonly Relocation[];
  readonly evidence: LayoutEvidence;
  /** The whole standard list after the patches, in the order the guest walks it. */
  readonly standardList: readonly ListEntry[];
  /** The whole extended list after the patches, in the order the guest walks it. */
  readonly extendedList: readonly ListEntry[];
}

/**
 * Names a layout by what a guest can tell apart: places, register values and patches; not by how they were found, nor
 * in which order.
 */
export function layoutDigest(layout: Pick<Layout, 'placements' | 'patches'>): Digest {
  return Digest.of(canonicalJson({
    placements: [...layout.placements].sort((a, b) => a.offset - b.offset)
      .map(({ id, version, offset, length, registers }) => ({ id, version, offset, length, registers })),
    patches: layout.patches.map(({ offset, mask, value }) => ({ offset, mask, value })),
  }));
}
