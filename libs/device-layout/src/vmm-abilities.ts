import { type SyntheticName } from './synthetic-capability.js';

/** How a VMM can be made to put a capability at an offset. */
export type VmmPlacing =
  /** It shows what a layout document says, byte for byte. */
  | { readonly kind: 'whole-document'; readonly knob: string }
  /** It puts single capabilities where a knob of the device says. */
  | { readonly kind: 'offset-knobs'; readonly knobs: Readonly<Partial<Record<SyntheticName, string>>> }
  /** It packs them against the end of the space, in this order (fact C8). */
  | { readonly kind: 'end-of-space'; readonly order: readonly SyntheticName[] }
  | { readonly kind: 'none' };

/** What a verdict needs to know of the VMM at the destination; a VMM profile tells it. */
export interface VmmAbilities {
  readonly name: string;
  readonly placing: VmmPlacing;
  /** Extended capabilities it takes out of the list whatever it is told. */
  readonly hides: readonly number[];
  /** Whether it refuses a stream whose read-only bytes are not those it shows itself (fact Q22). */
  readonly comparesBytes: boolean;
  /** Whether vendor-specific standard capabilities are exempt from that. */
  readonly exemptsVendorBytes: boolean;
}

/** A VMM that obeys layout documents: what every layout can be shown by. */
export const obedientVmm: VmmAbilities = {
  name: 'any VMM that obeys layout documents', placing: { kind: 'whole-document', knob: 'layout' },
  hides: [], comparesBytes: false, exemptsVendorBytes: true,
};
