import { type CapabilitySpace, survey, type Survey } from '@cadastre/config-space';
import { type LayoutDocument, layoutDocument, type ListEntry } from '@cadastre/device-layout';
import { type DecidedLayout } from '../device/device-events.js';
import { predictedGuestSpace, rebuildGuestConfigSpace } from '../device/guest-config-space.js';
import { type Observation as ObservationFacts, Observation } from '../function/observation.js';

/** The layout as a document: what was decided, over the hardware it was decided on. */
export function decidedDocument(layout: DecidedLayout, observed: ObservationFacts): LayoutDocument {
  const hardware = survey(Observation.configSpace(observed), observed.sriov.role);
  return layoutDocument(hardware, layout, rebuildGuestConfigSpace(layout, observed));
}

/**
 * What the guest has really been shown, as a document: the prediction for its VMM, which may hide capabilities the
 * layout has; without a prediction, the layout itself.
 */
export function guestDocument(layout: DecidedLayout, observed: ObservationFacts): LayoutDocument {
  const predicted = predictedGuestSpace(layout, observed);
  if (!predicted) return decidedDocument(layout, observed);
  const shown = survey(predicted.space, observed.sriov.role);
  const [standardList, extendedList] = [listOf('standard', shown, layout), listOf('extended', shown, layout)];
  const placements = layout.placements.filter(({ space, offset }) =>
    (space === 'standard' ? standardList : extendedList).some((one) => one.offset === offset));
  const asShown = { ...layout, placements, patches: [], operations: [], standardList, extendedList };
  return layoutDocument(shown, asShown, predicted.space);
}

/** A list as the guest walks it. What the VMM left where it hid the first one is nobody's: an anchor. */
function listOf(space: CapabilitySpace, { capabilities }: Survey, layout: DecidedLayout): readonly ListEntry[] {
  const meant = space === 'standard' ? layout.standardList : layout.extendedList;
  return capabilities.filter((one) => one.space === space).map(({ offset, id, version }) => {
    const origin = meant.find((one) => one.offset === offset && one.id === id)?.origin ?? 'physical';
    return { offset, id, version, origin: space === 'extended' && id === 0 && offset === 0x100 ? 'anchor' : origin };
  });
}
