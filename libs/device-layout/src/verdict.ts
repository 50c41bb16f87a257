import { type ByteRange, type CapabilitySpace, type Owner, type Survey } from '@cadastre/config-space';
import { type RuledRange, type RuleName, type VmmAbilities } from '@cadastre/vmm-profiles';
import { type Evidence } from './evidence.js';
import { type IommuFacts } from './iommu-facts.js';
import { type LayoutIdentity } from './layout-document.js';
import { type QuirkRow } from './quirk-row.js';

/** Where a device is to go: the function there, and who shows it. */
export interface Destination {
  readonly survey: Survey;
  /** Null when nobody told: what depends on it is named in `unchecked`. */
  readonly iommu: IommuFacts | null;
  readonly vmm: VmmAbilities;
  /** Of a VF: its PF, which tells the IDs a guest finds it by. Left out or null where it is not known. */
  readonly physicalFunction?: Survey | null;
  /** The quirk table; rows about other functions are passed over. */
  readonly quirks?: readonly QuirkRow[];
  /** What other captures of its model show. Left out or null: nothing is known but the survey. */
  readonly evidence?: Evidence | null;
  /** Set where the VMM was predicted byte for byte: then `survey` is of what a guest reads there. */
  readonly shown?: ShownThere;
}

/** What a prediction of the destination tells beside its bytes. */
export interface ShownThere {
  /** What has to be set for it. */
  readonly knobs: readonly NeededKnob[];
  /** Bytes that rules of the VMMs wrote, there or at the source: the last one that names a byte is the cause. */
  readonly ruled: readonly RuledRange[];
  /** Bytes the VMM there may show otherwise; nothing tells how. */
  readonly open: readonly ByteRange[];
}

interface Named {
  readonly space: CapabilitySpace;
  readonly id: number;
  readonly name: string;
}

/** Why a layout cannot be shown there. Every number that mattered is here, and the rule of a VMM that caused it. */
export type VerdictReason = UnshownBecause & { readonly rule?: RuleName };

export type UnshownBecause =
  | { readonly kind: 'function-unfit'; readonly problem: string }
  /** No state of the device can be loaded there, whatever it shows (fact O4). */
  | { readonly kind: 'vmm-cannot-migrate'; readonly vmm: string }
  /** No guest starts with it there. */
  | { readonly kind: 'does-not-start'; readonly vmm: string; readonly says: string }
  | { readonly kind: 'config-size-smaller'; readonly layout: number; readonly destination: number }
  | { readonly kind: 'identity-differs'; readonly field: keyof LayoutIdentity; readonly layout: number | null;
      readonly destination: number | null }
  /** A visible capability without a physical one behind it. */
  | ({ readonly kind: 'capability-missing'; readonly offset: number } & Named)
  /** A guest may have cached `layout`. */
  | ({ readonly kind: 'offset-would-move'; readonly layout: number; readonly destination: number } & Named)
  | ({ readonly kind: 'capability-extra'; readonly offset: number } & Named)
  | ({ readonly kind: 'capability-shape-differs'; readonly member: 'length' | 'version'; readonly offset: number;
      readonly layout: number; readonly destination: number } & Named)
  | ({ readonly kind: 'vmm-hides-it'; readonly offset: number } & Named)
  | ({ readonly kind: 'vmm-cannot-place-it'; readonly offset: number } & Named)
  | ({ readonly kind: 'place-taken'; readonly offset: number; readonly at: number; readonly by: string } & Named)
  /** A row of the quirk table keeps everybody out of `range`. */
  | ({ readonly kind: 'forbidden'; readonly offset: number; readonly range: ByteRange; readonly by: string } & Named)
  /** Free there, and in use in another capture of the same model. */
  | ({ readonly kind: 'seen-in-use'; readonly offset: number; readonly at: number; readonly owner: Owner;
      readonly by: string } & Named)
  | ({ readonly kind: 'register-weaker'; readonly offset: number; readonly field: string; readonly layout: number;
      readonly destination: number } & Named)
  /** What the hardware decides, whatever a VMM shows. */
  | ({ readonly kind: 'register-differs'; readonly offset: number; readonly field: string; readonly layout: number;
      readonly destination: number } & Named)
  | { readonly kind: 'list-order-differs'; readonly space: CapabilitySpace; readonly layout: readonly number[];
      readonly destination: readonly number[] }
  /** Bits 3:0 of a BAR: I/O or memory, 32 or 64 bits, prefetchable or not. */
  | { readonly kind: 'bar-differs'; readonly of: 'function' | 'vf'; readonly bar: number; readonly layout: number;
      readonly destination: number }
  /** Bytes. */
  | { readonly kind: 'bar-size-differs'; readonly of: 'function' | 'vf'; readonly bar: number;
      readonly layout: number; readonly destination: number }
  | { readonly kind: 'bytes-differ'; readonly offset: number; readonly length: number; readonly why:
      'not-identical' | 'vmm-compares-them'; readonly layout: string; readonly destination: string };

/** Bytes that would differ, and may. */
export interface AllowedDifference extends ByteRange {
  readonly why: 'consistent' | 'shown-by-the-vmm';
  readonly layout: string;
  readonly destination: string;
}

export interface NeededKnob {
  readonly capability: string;
  readonly knob: string;
  /** Where the guest finds it, or null where the knob takes the whole document. */
  readonly offset: number | null;
  /** What the knob is set to; null for the whole document. */
  readonly value: number | null;
}

/** Where the guest's capability is in the hardware of the destination. */
export interface Relocation extends Named {
  readonly physical: number;
  readonly guest: number;
}

/** A physical capability of the destination the layout does not show. */
export interface Hidden extends Named {
  readonly offset: number;
}

export interface Verdict {
  readonly verdict: 'exact' | 'obeys' | 'consistent' | 'cannot';
  readonly reasons: readonly VerdictReason[];
  readonly knobs: readonly NeededKnob[];
  readonly differences: readonly AllowedDifference[];
  readonly relocations: readonly Relocation[];
  readonly hidden: readonly Hidden[];
  /** What could not be judged because nobody told. */
  readonly unchecked: readonly string[];
  /** BARs the guest has whose size config space does not tell on both sides: it was not judged. */
  readonly untoldBars: readonly number[];
}
