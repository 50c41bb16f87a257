import { type Branded, capabilityCatalogue, capabilityRow, type CapabilitySpace } from '@cadastre/config-space';

/** A capability as the catalogue names it, in lower case: `pasid`, `aer`, `msix`; `unknown-002f` without a row. */
export type CapabilityName = Branded<string, 'CapabilityName'>;

const known = new Set(Object.values(capabilityCatalogue).flat().map((row) => row.name.toLowerCase()));

export const CapabilityName = {
  of(space: CapabilitySpace, id: number): CapabilityName {
    return capabilityRow(space, id).name.toLowerCase() as CapabilityName;
  },

  /** The name of something the catalogue has, or of an ID it has no row for. */
  is: (given: string): given is CapabilityName =>
    known.has(given) || /^unknown-([0-9a-f]{2}|[0-9a-f]{4})$/.test(given),

  /** Each once, in order: the same capabilities are the same list, wherever they stand. */
  setOf(names: Iterable<CapabilityName>): readonly CapabilityName[] {
    return [...new Set(names)].sort();
  },
};
