import { type AttachedDevice, type VmId } from '@cadastre/lifecycle';
import { type Views } from '@cadastre/views';
import { type ListRefused } from '../lists/list-outcome.js';
import { type StreamReader } from '../stream-reader.js';
import { devicesEver } from './devices-ever.js';

export type AttachedDevices = ListRefused
  | { readonly kind: 'found'; readonly devices: readonly AttachedDevice[]; readonly ever: number };

/** The devices of a VM that are attached now, in order of their names, and how many it ever had. */
export async function attachedDevices(vm: VmId, views: Views, reader: StreamReader): Promise<AttachedDevices> {
  const known = await devicesEver(views, vm);
  if (known.kind === 'refused') return known;
  const devices: AttachedDevice[] = [];
  for (const { key } of known.devices) {
    const { state } = await reader.device(key);
    if (state.kind === 'attached') devices.push(state);
  }
  return { kind: 'found', devices, ever: known.devices.length };
}
