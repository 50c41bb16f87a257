import { ok, refuse, type Result } from '@cadastre/config-space';
import { syntheticCapability, type SyntheticName, type SyntheticRegisters } from './synthetic-capability.js';

export type RegistersRefusal =
  /** Nothing but the request tells what the capability holds. */
  | { readonly kind: 'registers-missing'; readonly name: SyntheticName; readonly fields: readonly string[] }
  | { readonly kind: 'register-unknown'; readonly name: SyntheticName; readonly field: string;
      readonly fields: readonly string[] }
  | { readonly kind: 'register-out-of-range'; readonly name: SyntheticName; readonly field: string;
      readonly value: number; readonly most: number };

/** The content of a capability as a request gives it; fields it leaves out are 0. Refuses what has no field or room. */
export function requestedRegisters(
  name: SyntheticName, given: SyntheticRegisters,
): Result<SyntheticRegisters, RegistersRefusal> {
  const { fields } = syntheticCapability(name);
  const known = Object.keys(fields);
  const asked = Object.entries(given);
  if (asked.length === 0) return refuse({ kind: 'registers-missing', name, fields: known });
  for (const [field, value] of asked) {
    const row = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (!row) return refuse({ kind: 'register-unknown', name, field, fields: known });
    const most = 2 ** row[2] - 1;
    if (!Number.isInteger(value) || value < 0 || value > most) {
      return refuse({ kind: 'register-out-of-range', name, field, value, most });
    }
  }
  return ok(Object.fromEntries(asked));
}

/**
 * One register as people write it. A value of 64 bits may have the name its halves share: `serialNumber` is
 * `serialNumberLower` and `serialNumberUpper`.
 */
export function registersNamed(name: SyntheticName, field: string, value: bigint): SyntheticRegisters {
  const { fields } = syntheticCapability(name);
  const [lower, upper] = [`${field}Lower`, `${field}Upper`];
  const isPair = Object.hasOwn(fields, lower) && Object.hasOwn(fields, upper);
  if (!isPair) return { [field]: Number(value) };
  return { [lower]: Number(value & 0xffffffffn), [upper]: Number(value >> 32n) };
}
