import { type ConfigSpace, survey } from '@cadastre/config-space';
import { type PasidFacts, type WantedPlacement } from '@cadastre/vmm-profiles';
import { type LayoutCapability, type LayoutDocument } from './layout-document.js';
import { syntheticCapabilities, type SyntheticField } from './synthetic-capability.js';

const pasid = 0x1b;

/** What a VMM is asked to make of a layout. */
export interface LayoutPlacements {
  readonly wanted: readonly WantedPlacement[];
  /** Where standard capabilities of the hardware start: some VMMs step aside for them. */
  readonly starts: readonly number[];
  /** What its PASID capability says it can; null where it has none. */
  readonly pasid: PasidFacts | null;
}

/**
 * What a VMM has to make so that a guest finds this layout: what is synthetic or a persona's, in both spaces.
 * @param shown what the host kernel shows of the hardware, when it is known: a capability it has at its place needs
 *   nobody to make it, and a physical PASID it does not have needs somebody
 */
export function placementsOf({ capabilities, space }: LayoutDocument, shown?: ConfigSpace): LayoutPlacements {
  const there = shown && survey(shown).capabilities;
  const isShown = (one: LayoutCapability): boolean => there?.some((other) =>
    other.space === one.space && other.id === one.id && other.offset === one.offset) === true;
  const isAsked = ({ origin, space: list, id }: LayoutCapability): boolean => origin === 'synthetic'
    || origin === 'persona' || (there !== undefined && origin === 'physical' && list === 'extended' && id === pasid);
  return {
    wanted: capabilities.filter((one) => isAsked(one) && !isShown(one)).map((one) => ({
      space: one.space, id: one.id, name: one.name, offset: one.offset, length: one.length,
      value: settingValue(space, one),
    })),
    starts: (there ?? capabilities.filter(({ origin }) => origin === 'physical'))
      .filter((one) => one.space === 'standard').map(({ offset }) => offset),
    pasid: pasidFactsIn(capabilities, space),
  };
}

function pasidFactsIn(capabilities: readonly LayoutCapability[], space: ConfigSpace): PasidFacts | null {
  const found = capabilities.find((one) => one.space === 'extended' && one.id === pasid);
  if (!found) return null;
  const { maxPasidWidth, executeSupported, privilegedSupported } = syntheticCapabilities.pasid.fields;
  const read = (field: SyntheticField): number => fieldAt(space, found.offset, field);
  return {
    widthBits: read(maxPasidWidth), execute: read(executeSupported) === 1, privileged: read(privilegedSupported) === 1,
  };
}

/** What the setting for a capability takes, where that is not its offset: the number of the clique. */
export function settingValue(space: ConfigSpace, { name, offset }: LayoutCapability): number | null {
  if (name !== 'nvidia-clique') return null;
  return fieldAt(space, offset, syntheticCapabilities[name].fields.clique);
}

function fieldAt(space: ConfigSpace, offset: number, [at, lsb, width]: SyntheticField): number {
  return (space.u32(offset + at) >>> lsb) & (2 ** width - 1);
}
