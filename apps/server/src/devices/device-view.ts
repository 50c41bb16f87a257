import { explainAlternative, explainCaution, explainReason, type Placement } from '@cadastre/device-layout';
import { type KnownDevice } from '@cadastre/ledger';
import { type DecidedLayout } from '@cadastre/lifecycle';

/** A device as the API shows it: its state and, while it is attached, its layout. */
export function deviceView(device: KnownDevice): object {
  const { key, revision } = device;
  if (device.kind === 'detached') {
    return { ...key, state: 'detached', revision, lastFunction: device.last, reason: device.reason };
  }
  return {
    ...key,
    state: 'attached',
    revision,
    function: device.function,
    hotPlugOrder: device.hotPlugOrder,
    layout: device.layout && layoutView(device.layout),
    guestConfigSpaceDigest: device.layout?.guestConfigSpaceDigest ?? null,
    vmm: device.layout?.vmm ?? null,
    guest: device.guest,
  };
}

function layoutView(layout: DecidedLayout): object {
  const { layoutDigest: digest, planner, identity, observation, physicalFunction, persona, grants, patches } = layout;
  const { placements, reserved, operations, relocations, evidence, standardList, extendedList } = layout;
  return {
    digest, planner, identity, observation, physicalFunction, persona, grants,
    placements: placements.map(placementView),
    reserved: reserved.map(({ name, offset, length }) => ({ name, offset, length })),
    operations, relocations, evidence, patches, standardList, extendedList,
  };
}

/** Every placement with its reason twice: as data, and in words. */
export function placementView(placement: Placement): object {
  const { reason, cautions, refused } = placement;
  return {
    ...placement,
    explanation: {
      reason: explainReason(reason),
      cautions: cautions.map(explainCaution),
      refused: refused.map(explainAlternative),
    },
  };
}
