import { pasidWidthBitsMax } from '@cadastre/config-space';
import { type PasidFacts } from './host-facts.js';
import { numberOf } from './knobs.js';
import { type VmmProfile } from './vmm-profile.js';

/** What `impliedPasid` says of itself. */
export const impliedPasidSays =
  `nobody told what the IOMMU has: a PASID width of ${pasidWidthBitsMax} with both permissions is taken`;

/**
 * What an IOMMU nobody described has to have where a setting says at which offset PASID is wanted: a control plane that
 * places it means it to be there. Null where nothing places it.
 */
export function impliedPasid(
  { pasid }: Pick<VmmProfile, 'pasid'>, settings: Readonly<Record<string, string>>,
): PasidFacts | null {
  const offset = pasid.kind === 'setting' ? numberOf(settings[pasid.setting]) ?? 0 : 0;
  return offset === 0 ? null : { widthBits: pasidWidthBitsMax, execute: true, privileged: true };
}
