import { type CapabilitySpace, ConfigOffset, ConfigSpace, survey, type Survey } from '@cadastre/config-space';
import {
  type GuestDifference, type LayoutDocument, layoutDocument, type ListEntry, type Placement, registersIn,
} from '@cadastre/device-layout';
import { type GuestSeen } from '../device/device-decider.js';
import { type DecidedLayout } from '../device/device-events.js';
import { predictedGuestSpace, rebuildGuestConfigSpace } from '../device/guest-config-space.js';
import { type Observation as ObservationFacts, Observation } from '../function/observation.js';

/** The layout as a document: what was decided, over the hardware it was decided on. */
export function decidedDocument(layout: DecidedLayout, observed: ObservationFacts): LayoutDocument {
  const hardware = survey(Observation.configSpace(observed), observed.sriov.role);
  return layoutDocument(hardware, layout, rebuildGuestConfigSpace(layout, observed));
}

/**
 * What the guest has really been shown, as a document: what was last read in it; else the prediction for its VMM,
 * which may hide capabilities the layout has and make them elsewhere; else the layout itself.
 */
export function guestDocument(
  layout: DecidedLayout, observed: ObservationFacts, guest: GuestSeen | null = null,
): LayoutDocument {
  const predicted = predictedGuestSpace(layout, observed);
  const isAsDecided = !predicted || layout.vmm?.predicted?.digest === layout.guestConfigSpaceDigest;
  if (isAsDecided && guest?.kind !== 'diverged') return decidedDocument(layout, observed);
  const expected = predicted?.space ?? rebuildGuestConfigSpace(layout, observed);
  const space = guest?.kind === 'diverged' ? withSeen(expected, guest.differences) : expected;
  const shown = survey(space, observed.sriov.role);
  const hardware = survey(Observation.configSpace(observed), observed.sriov.role);
  const [standardList, extendedList] = (['standard', 'extended'] as const).map((list) =>
    listOf(list, shown, layout, hardware)) as [readonly ListEntry[], readonly ListEntry[]];
  const placements = [...standardList.map((one) => placementOf('standard', one, layout, space)),
    ...extendedList.map((one) => placementOf('extended', one, layout, space))].flatMap((one) => one ?? []);
  const operations = isAsDecided ? layout.operations : [];
  return layoutDocument(shown, {
    ...layout, placements, patches: [], operations, relocations: [], standardList, extendedList }, space);
}

/** Only what may not differ is told: registers a guest or its VMM may write are as they were when it was fresh. */
function withSeen(expected: ConfigSpace, differences: readonly GuestDifference[]): ConfigSpace {
  const bytes = expected.toBytes();
  for (const { offset, seen } of differences) {
    bytes.set(seen.split(' ').map((byte) => Number.parseInt(byte, 16)), offset);
  }
  const space = ConfigSpace.fromCapture(bytes);
  if (!space.ok) throw new RangeError(`a guest space of ${bytes.length} bytes`);
  return space.value;
}

/**
 * A list as the guest walks it. A header of ID 0, which VMMs leave where they hid one, is nobody's: an anchor. What
 * neither the layout nor the hardware has there is what the VMM made of something the layout has elsewhere.
 */
function listOf(
  space: CapabilitySpace, { capabilities }: Survey, layout: DecidedLayout, hardware: Survey,
): readonly ListEntry[] {
  const meant = space === 'standard' ? layout.standardList : layout.extendedList;
  return capabilities.filter((one) => one.space === space).map(({ offset, id, version }): ListEntry => {
    if (space === 'extended' && id === 0) return { offset, id, version, origin: 'anchor' };
    const isThere = (one: { readonly offset: number; readonly id: number }): boolean =>
      one.offset === offset && one.id === id;
    const known = meant.find(isThere);
    if (known) return { offset, id, version, origin: known.origin };
    const isHardware = hardware.capabilities.some((one) => one.space === space && isThere(one));
    const isMade = !isHardware && layout.placements.some((one) => one.space === space && one.id === id);
    return { offset, id, version, origin: isMade ? 'synthetic' : 'physical' };
  });
}

/** The placement of a capability the guest has, wherever it has it. */
function placementOf(
  space: CapabilitySpace, { offset, id, origin }: ListEntry, { placements }: DecidedLayout, shown: ConfigSpace,
): Placement | undefined {
  const alike = placements.filter((one) => one.space === space && one.id === id);
  const own = alike.find((one) => one.offset === offset);
  const [first] = alike;
  if (own || origin !== 'synthetic' || !first) return own;
  const at = ConfigOffset.from(offset);
  if (!at.ok) throw new RangeError(`a capability at ${offset}`);
  return { ...first, offset: at.value, registers: registersIn(shown, first.name, offset), cautions: [], refused: [],
    reason: { kind: 'guest-has-it-here', decided: first.offset } };
}
