import { ok, pasidWidthBitsMax, refuse, type Result } from '@cadastre/config-space';
import { type IommuFacts } from './iommu-facts.js';
import { type SyntheticRegisters } from './synthetic-capability.js';

/** What a VM asks of PASID; what it leaves out is what the IOMMU has. */
export interface PasidRequest {
  readonly widthBits: number | null;
  readonly exec: boolean | null;
  readonly priv: boolean | null;
}

/** What it gets. */
export interface PasidGrant {
  readonly widthBits: number;
  /** The width that was asked for, when the IOMMU could not carry it. */
  readonly clampedFrom: number | null;
  readonly exec: boolean;
  readonly priv: boolean;
}

export type PasidRefusal =
  | { readonly kind: 'pasid-width-out-of-range'; readonly widthBits: number; readonly least: 1; readonly most: number }
  | { readonly kind: 'pasid-not-supported'; readonly maxPasidLog2: number }
  | { readonly kind: 'pasid-execute-not-supported' }
  | { readonly kind: 'pasid-privileged-not-supported' };

/**
 * Fits a request to the IOMMU: the width is clamped to `maxPasidLog2`; permission bits the IOMMU lacks are refused,
 * because a guest that was promised them would use them.
 */
export function grantPasid(request: PasidRequest, iommu: IommuFacts): Result<PasidGrant, PasidRefusal> {
  const asked = request.widthBits;
  if (asked !== null && (!Number.isInteger(asked) || asked < 1 || asked > pasidWidthBitsMax)) {
    return refuse({ kind: 'pasid-width-out-of-range', widthBits: asked, least: 1, most: pasidWidthBitsMax });
  }
  if (!(iommu.maxPasidLog2 >= 1)) return refuse({ kind: 'pasid-not-supported', maxPasidLog2: iommu.maxPasidLog2 });
  if (request.exec === true && !iommu.exec) return refuse({ kind: 'pasid-execute-not-supported' });
  if (request.priv === true && !iommu.priv) return refuse({ kind: 'pasid-privileged-not-supported' });
  const most = Math.min(iommu.maxPasidLog2, pasidWidthBitsMax);
  const widthBits = Math.min(asked ?? most, most);
  return ok({
    widthBits,
    clampedFrom: asked !== null && asked > widthBits ? asked : null,
    exec: request.exec ?? iommu.exec,
    priv: request.priv ?? iommu.priv,
  });
}

/** The register fields that tell a guest what was granted. */
export function pasidRegisters(grant: PasidGrant): SyntheticRegisters {
  return {
    executeSupported: grant.exec ? 1 : 0,
    privilegedSupported: grant.priv ? 1 : 0,
    maxPasidWidth: grant.widthBits,
  };
}
