import {
  type AttachedDevice, deviceStream, type GuestLook, type LayoutGround, type PasidVisibility, pasidVisibility,
  type SeenFunction,
} from '@cadastre/lifecycle';
import { DamagedHistory } from '../damaged-history.js';
import { guardsOf, physicalFunctionOf } from '../devices/ground-of.js';
import { type Guard } from '../recorder.js';
import { type StreamReader } from '../stream-reader.js';

/** What a guest's use of PASID is judged by, beside the request and the platform. */
export interface PasidGround {
  readonly seen: SeenFunction;
  readonly visible: PasidVisibility;
  readonly physicalFunction: LayoutGround['physicalFunction'];
  /** The function and its PF, where they were read. */
  readonly standsOn: readonly Guard[];
}

/** Reads what is known of the function and of what the guest finds. */
export async function pasidGround(device: AttachedDevice, reader: StreamReader): Promise<PasidGround> {
  const { layout } = device;
  const { state: owned } = await reader.function(device.function);
  const own = owned.kind === 'registered' ? owned.observation?.facts : undefined;
  if (owned.kind !== 'registered' || !own || !layout) {
    throw new DamagedHistory(deviceStream(device.key), 'it is attached without an observation or a layout');
  }
  const observed = await reader.observation(layout.observation);
  const physicalFunction = await physicalFunctionOf(owned, reader);
  return {
    seen: { own, physicalFunction: physicalFunction?.state?.observation?.facts ?? null },
    visible: pasidVisibility(layout, observed, await lookOf(device, reader)), physicalFunction,
    standsOn: guardsOf({ function: owned, physicalFunction }),
  };
}

/** The state tells that somebody looked; what the guest read is in the event alone. */
async function lookOf({ key, guest }: AttachedDevice, reader: StreamReader): Promise<GuestLook | null> {
  if (!guest) return null;
  const { revision } = guest;
  const stream = deviceStream(key);
  const event = await reader.event({ stream, revision });
  if (event.type === 'LayoutConfirmed' || event.type === 'LayoutDiverged') return { revision, event };
  throw new DamagedHistory(stream, `revision ${revision} is no look inside the guest`);
}
