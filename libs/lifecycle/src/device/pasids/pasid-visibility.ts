import { ConfigSpace, decode, findCapability, survey, vfioView } from '@cadastre/config-space';
import { hostKernelOf } from '@cadastre/vmm-profiles';
import { type Observation as ObservationFacts, Observation } from '../../function/observation.js';
import { type DecidedLayout, type DeviceEvent } from '../device-events.js';
import { predictedGuestSpace, rebuildGuestConfigSpace } from '../guest-config-space.js';

/** The PASID capability as the guest reads it. */
export interface VisiblePasid {
  readonly offset: number;
  readonly widthBits: number;
  readonly exec: boolean;
  readonly priv: boolean;
}

/** The best that is known of what a guest finds: what it read, else what its VMM should show, else the layout. */
export type ToldBy = 'guest' | 'prediction' | 'layout';

export interface PasidVisibility {
  /** Null when the guest finds none. */
  readonly pasid: VisiblePasid | null;
  readonly toldBy: ToldBy;
  /** Of the event that says what the guest read; null while nobody looked. */
  readonly revision: number | null;
}

/** The last look inside the guest, and the revision of its event. */
export interface GuestLook {
  readonly revision: number;
  readonly event: Extract<DeviceEvent, { type: 'LayoutConfirmed' | 'LayoutDiverged' }>;
}

/**
 * The PASID capability that the guest of a layout finds.
 * @param observed the observation the layout was decided over
 * @param look the last one inside the guest; null while nobody looked
 */
export function pasidVisibility(
  layout: DecidedLayout, observed: ObservationFacts, look: GuestLook | null,
): PasidVisibility {
  if (look?.event.type === 'LayoutDiverged') {
    const read = ConfigSpace.fromCapture(Buffer.from(look.event.guestConfigSpace, 'base64'));
    if (!read.ok) throw new Error(`a guest read ${read.refusal.sizeBytes} bytes`);
    return { pasid: pasidIn(read.value), toldBy: 'guest', revision: look.revision };
  }
  const shown = predictedGuestSpace(layout, observed)?.space;
  if (look) {
    const read = shown ?? rebuildGuestConfigSpace(layout, observed);
    return { pasid: pasidIn(read), toldBy: 'guest', revision: look.revision };
  }
  // Without a prediction there are two cases: no guest starts, or no VMM was named.
  if (layout.vmm) return { pasid: shown ? pasidIn(shown) : null, toldBy: 'prediction', revision: null };
  return { pasid: pasidOf(layout, observed), toldBy: 'layout', revision: null };
}

/** PASID Extended Capability. PCIe Base Specification, "PASID Extended Capability". */
const pasidId = 0x1b;

/** What the VMM of a layout that obeys shows: what was placed, or what the host kernel shows of the hardware (K14). */
function pasidOf(layout: DecidedLayout, observed: ObservationFacts): VisiblePasid | null {
  const pasid = pasidIn(rebuildGuestConfigSpace(layout, observed));
  if (!pasid) return null;
  const isMade = layout.placements.some(({ name }) => name === 'pasid')
    || layout.extendedList.some(({ id, origin }) => id === pasidId && origin !== 'physical');
  if (isMade) return pasid;
  const { kernel } = hostKernelOf(observed.kernel);
  const shown = vfioView(Observation.configSpace(observed), kernel, { role: observed.sriov.role }).space;
  return pasidIn(shown)?.offset === pasid.offset ? pasid : null;
}

/** The capability that a guest which walks the list finds. */
function pasidIn(space: ConfigSpace): VisiblePasid | null {
  const found = findCapability(survey(space), 'extended', pasidId);
  if (!found) return null;
  const fields = Object.fromEntries(decode(space, found).map(({ name, value }) => [name, value]));
  const { maxPasidWidth = 0, executeSupported = 0, privilegedSupported = 0 } = fields;
  return {
    offset: found.offset, widthBits: maxPasidWidth, exec: executeSupported === 1, priv: privilegedSupported === 1,
  };
}
