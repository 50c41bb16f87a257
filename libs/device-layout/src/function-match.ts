import { type Header } from '@cadastre/config-space';

/** Which functions a row of data is about. A part that is left out holds for all. */
export interface FunctionMatch {
  readonly vendorId: number;
  /** Device IDs. */
  readonly deviceIds?: readonly number[];
  /** Device IDs under a mask: those with `id & mask === value`. */
  readonly deviceFamily?: { readonly value: number; readonly mask: number };
  /** Subsystem vendor and subsystem ID, in pairs. */
  readonly subsystems?: readonly (readonly [vendorId: number, id: number])[];
  /** Base class and subclass: 16 bits. */
  readonly classes?: readonly number[];
  readonly revisions?: { readonly least: number; readonly most: number };
}

/** True when a row is about the function with this header. */
export function matches(match: FunctionMatch, header: Header): boolean {
  if (match.vendorId !== header.vendorId) return false;
  if (match.deviceIds || match.deviceFamily) {
    const family = match.deviceFamily;
    const inFamily = family !== undefined && (header.deviceId & family.mask) === family.value;
    if (!inFamily && match.deviceIds?.includes(header.deviceId) !== true) return false;
  }
  if (match.classes && !match.classes.includes(header.classCode >>> 8)) return false;
  const { subsystems, revisions } = match;
  if (revisions && (header.revision < revisions.least || header.revision > revisions.most)) return false;
  return !subsystems
    || subsystems.some(([vendorId, id]) => vendorId === header.subsystemVendorId && id === header.subsystemId);
}
