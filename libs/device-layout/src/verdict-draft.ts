import { type Capability } from '@cadastre/config-space';
import { type RuledRange } from '@cadastre/vmm-profiles';
import { type LayoutCapability, type LayoutDocument } from './layout-document.js';
import {
  type AllowedDifference, type Destination, type Hidden, type NeededKnob, type UnshownBecause,
} from './verdict.js';

/** A verdict while it is reached. */
export interface VerdictDraft {
  readonly layout: LayoutDocument;
  readonly to: Destination;
  readonly obeys: boolean;
  /** Bytes that are as they are by a rule of a VMM; the last one that names a byte counts. */
  readonly ruled: readonly RuledRange[];
  /** Physical capabilities of the destination, by the layout's capability they stand behind. */
  readonly behind: Map<LayoutCapability, Capability>;
  readonly reasons: UnshownBecause[];
  readonly knobs: NeededKnob[];
  readonly differences: AllowedDifference[];
  readonly hidden: Hidden[];
  readonly unchecked: string[];
  readonly untoldBars: number[];
}

export function emptyDraft(
  layout: LayoutDocument, to: Destination, ruled: readonly RuledRange[] = [],
): VerdictDraft {
  return {
    layout, to, ruled, obeys: to.vmm.placing === 'whole-document', knobs: [...to.shown?.knobs ?? []],
    behind: new Map(), reasons: [], differences: [], hidden: [], unchecked: [], untoldBars: [],
  };
}
