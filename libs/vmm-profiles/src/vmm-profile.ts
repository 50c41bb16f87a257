import { type ConfigSpace } from '@cadastre/config-space';
import { type ConfigurationWriter } from './configuration.js';
import { type GuestImage } from './guest-image.js';
import { type HostFacts } from './host-facts.js';
import { type GuestPort, type SettingRow } from './knobs.js';
import { type FailureMode, type MigrationBehaviour, type Outcome } from './prediction.js';
import { type RuleName } from './rules.js';
import { type StandardMade } from './standard-made.js';

/** Where a VMM puts a PASID capability it makes. */
export type PasidPlacing =
  | { readonly kind: 'none' }
  | { readonly kind: 'setting'; readonly setting: string; readonly implicitOffset: number }
  | { readonly kind: 'end-of-space' }
  | { readonly kind: 'not-known' }
  | { readonly kind: 'document' };

/** What the VMM's code is told besides the bytes. */
export interface Stage {
  readonly physical: ConfigSpace;
  readonly host: HostFacts;
  readonly port: GuestPort;
  readonly viommuPasid: boolean;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * What one version of a VMM does to the config space of a function it passes through. A released profile is never
 * edited: a correction is a new revision with a new name beside it.
 */
export interface VmmProfile {
  /** `qemu-11.0`: what a control plane writes. */
  readonly name: string;
  readonly revision: number;
  /** `observed` in captures, `read` in its source, `told` in a change not yet read; `ours` for the generic one. */
  readonly evidence: 'observed' | 'read' | 'told' | 'ours';
  readonly source: string;
  /** What the VMM reads: the vfio view, the space as the device side of a client made it, or the physical one. */
  readonly reads: 'vfio-pci' | 'device-side' | 'physical';
  /** Extended capabilities by ID that it hides, and what a guest finds in their place. */
  readonly hides: { readonly ids: readonly number[]; readonly leaves: string };
  /** It hides and makes nothing unless the function lists PM and PCI Express (C4). */
  readonly onlyWithPm: boolean;
  readonly pasid: PasidPlacing;
  readonly makesStandard: readonly StandardMade[];
  readonly settings: Readonly<Record<string, SettingRow>>;
  readonly migration: MigrationBehaviour;
  /** Whether a comparison leaves out what a vendor put into a standard capability (Q22). */
  readonly exemptsVendorBytes: boolean;
  readonly failureMode: FailureMode;
  /** Whether a write to a capability the VMM made goes to the hardware as well. */
  readonly forwardsSyntheticWrites: boolean;
  /** Rules that say why a capability is not there: hidden whatever the hardware has, or not made. */
  readonly because: {
    readonly hides: RuleName;
    readonly makesNoStandard: RuleName;
    readonly makesNoExtended: RuleName;
  };
  /** Buses of the guest on which it shows a function differently. */
  readonly ports: readonly GuestPort[];
  /** Writes settings down in the words of this VMM; null where there is nothing to write. */
  readonly configure: ConfigurationWriter | null;
  /** Rewrites the image; says what becomes of the device. */
  show(image: GuestImage, stage: Stage): Outcome;
}
