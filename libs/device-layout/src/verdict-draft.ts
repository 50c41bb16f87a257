import { type Capability } from '@cadastre/config-space';
import { type LayoutCapability, type LayoutDocument } from './layout-document.js';
import {
  type AllowedDifference, type Destination, type Hidden, type NeededKnob, type VerdictReason,
} from './verdict.js';

/** A verdict while it is reached. */
export interface VerdictDraft {
  readonly layout: LayoutDocument;
  readonly to: Destination;
  readonly obeys: boolean;
  /** Physical capabilities of the destination, by the layout's capability they stand behind. */
  readonly behind: Map<LayoutCapability, Capability>;
  readonly reasons: VerdictReason[];
  readonly knobs: NeededKnob[];
  readonly differences: AllowedDifference[];
  readonly hidden: Hidden[];
  readonly unchecked: string[];
  readonly untoldBars: number[];
}

export function emptyDraft(layout: LayoutDocument, to: Destination): VerdictDraft {
  return {
    layout, to, obeys: to.vmm.placing === 'whole-document',
    behind: new Map(), reasons: [], knobs: [], differences: [], hidden: [], unchecked: [], untoldBars: [],
  };
}
