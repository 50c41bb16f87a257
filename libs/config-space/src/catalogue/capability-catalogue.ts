import { type CapabilityRow, type CapabilitySpace, unknownCapability } from './capability-row.js';
import { extendedCapabilities } from './extended-capabilities.js';
import { evaluateLength, type LengthContext } from './length-term.js';
import { standardCapabilities } from './standard-capabilities.js';

/** Everything Cadastre knows about capability IDs, by space and ID. */
export const capabilityCatalogue: Readonly<Record<CapabilitySpace, readonly CapabilityRow[]>> = {
  standard: standardCapabilities,
  extended: extendedCapabilities,
};

/** The row of an ID; an ID without one gets a row that says so and promises nothing. */
export function capabilityRow(space: CapabilitySpace, id: number): CapabilityRow {
  return capabilityCatalogue[space][id] ?? unknownCapability(id, space);
}

/** What a capability says of its own length: bytes, or why it has to be treated as opaque. */
export type ToldLength =
  | { readonly kind: 'exact'; readonly bytes: number }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'too-short'; readonly bytes: number; readonly least: number };

export function toldLength(row: CapabilityRow, context: LengthContext): ToldLength {
  const bytes = evaluateLength(row.length, context);
  if (bytes === undefined || Number.isNaN(bytes)) return { kind: 'unknown' };
  const least = row.lengthMin ?? 4;
  return bytes < least ? { kind: 'too-short', bytes, least } : { kind: 'exact', bytes };
}
