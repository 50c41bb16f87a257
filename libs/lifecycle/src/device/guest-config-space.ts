import { type ByteRange, ConfigSpace } from '@cadastre/config-space';
import { Digest } from '@cadastre/device-layout';
import { type Observation as ObservationFacts, Observation } from '../function/observation.js';
import { type DecidedLayout } from './device-events.js';

/** A recorded layout and the bytes it stands on do not give what was recorded: somebody changed one of them. */
export class ReplayMismatch extends Error {
  constructor(readonly expected: Digest, readonly actual: Digest, what: string) {
    super(`replay of ${what} gives ${actual}, the ledger recorded ${expected}`);
    this.name = 'ReplayMismatch';
  }
}

/**
 * Rebuilds what the guest sees from the record alone: the observed bytes and the decided patches, no planner.
 * Throws `ReplayMismatch` when the result, or the bytes it starts from, are not those recorded.
 */
export function rebuildGuestConfigSpace(layout: DecidedLayout, observed: ObservationFacts): ConfigSpace {
  const { observation } = layout;
  const original = Observation.configSpace(observed);
  const found = Digest.ofSpace(original);
  if (found !== observation.configSpaceDigest) {
    throw new ReplayMismatch(observation.configSpaceDigest, found, `${observation.stream}@${observation.revision}`);
  }
  const guest = original.patched(layout.patches);
  const rebuilt = Digest.ofSpace(guest);
  if (rebuilt !== layout.guestConfigSpaceDigest) {
    throw new ReplayMismatch(layout.guestConfigSpaceDigest, rebuilt, 'a guest config space');
  }
  return guest;
}

/** What the guest's VMM was predicted to show, from the record alone; null where nothing was predicted. */
export function predictedGuestSpace(
  layout: DecidedLayout, observed: ObservationFacts,
): { readonly space: ConfigSpace; readonly open: readonly ByteRange[] } | null {
  const predicted = layout.vmm?.predicted;
  if (!predicted) return null;
  const whole = Observation.configSpace(observed).patched(predicted.patches);
  const shown = ConfigSpace.fromCapture(whole.toBytes().subarray(0, predicted.sizeBytes));
  if (!shown.ok) throw new Error(`a prediction of ${predicted.sizeBytes} bytes`);
  const found = Digest.ofSpace(shown.value);
  if (found !== predicted.digest) throw new ReplayMismatch(predicted.digest, found, 'a predicted config space');
  return { space: shown.value, open: predicted.open };
}
