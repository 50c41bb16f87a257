import { type ByteRange, type ConfigSpace, type LinkedCapability } from '@cadastre/config-space';
import { type Confidence, type RuleName } from './rules.js';

/** One thing a careful reader must know, with the rule it stands on and how sure that is. */
export interface PredictionFinding {
  readonly kind: string;
  readonly rule: RuleName;
  readonly confidence: Confidence;
  readonly says: string;
  readonly offset: number | null;
}

/** Bytes and the rule that names them. */
export interface RuledRange extends ByteRange {
  readonly rule: RuleName;
}

/** What becomes of the device when the VM starts. */
export type Outcome =
  | { readonly kind: 'starts' }
  | { readonly kind: 'refused' | 'aborts' | 'hangs'; readonly rule: RuleName; readonly confidence: Confidence;
      readonly says: string };

export const starts: Outcome = { kind: 'starts' };

/** How a capability the VMM could not make is told: not at all, by a refused device. */
export type FailureMode = 'silent' | 'refused' | 'unknown' | 'none';

export interface MigrationBehaviour {
  readonly kind: 'compares-bytes' | 'restores-patches' | 'loses-patches' | 'refuses-to-save' | 'obeys-document'
    | 'unknown';
  readonly rule: RuleName | null;
  readonly confidence: Confidence;
  readonly says: string;
}

/** Bytes where a write of the guest reaches the hardware. */
export interface WriteThrough extends RuledRange {
  readonly confidence: Confidence;
  /** The guest believes it writes to a capability the VMM made. */
  readonly underSynthetic: boolean;
}

export interface GuestPrediction {
  readonly profile: { readonly name: string; readonly revision: number };
  /** The view of Linux vfio-pci the VMM reads; null for one that reads something else. */
  readonly kernelView: { readonly name: string; readonly revision: number } | null;
  readonly outcome: Outcome;
  /** What a guest reads before it wrote anything; null where none starts. */
  readonly space: ConfigSpace | null;
  /** The first stage: what the VMM reads. */
  readonly vfio: ConfigSpace;
  readonly chain: { readonly standard: readonly LinkedCapability[]; readonly extended: readonly LinkedCapability[] };
  readonly findings: readonly PredictionFinding[];
  /** Bytes the VMM's rules name. All others are those of the first stage. */
  readonly ruled: readonly RuledRange[];
  /** Bytes the VMM may change in a way that is not known. */
  readonly unpredicted: readonly RuledRange[];
  readonly migration: MigrationBehaviour;
  readonly writeThrough: readonly WriteThrough[];
  readonly failureMode: FailureMode;
}
