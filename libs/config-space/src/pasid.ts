import { type Branded } from './branded.js';
import { ok, refuse, type Result } from './result.js';

/** Process address space identifier. PCIe Base Specification, "PASID TLP Prefix": 20 bits. */
export type Pasid = Branded<number, 'Pasid'>;

export interface NotAPasid {
  readonly kind: 'not-a-pasid';
  readonly given: number;
  readonly limit: '0..0xfffff';
}

/** Number of bits of the widest PASID. PCIe Base Specification, "Max PASID Width": legal values 1..20. */
export const pasidWidthBitsMax = 20;

export const Pasid = {
  /** Refuses anything but an integer of at most 20 bits. */
  from(given: number): Result<Pasid, NotAPasid> {
    if (Number.isInteger(given) && given >= 0 && given < 2 ** pasidWidthBitsMax) return ok(given as Pasid);
    return refuse({ kind: 'not-a-pasid', given, limit: '0..0xfffff' });
  },
};
