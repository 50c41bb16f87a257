import { type AttachedDevice, type VmId } from '@cadastre/lifecycle';
import { type StreamReader } from '../stream-reader.js';
import { type VmIndex } from './vm-index.js';

/** The devices of a VM that are attached now, in order of their names. */
export async function attachedDevices(
  vm: VmId, index: VmIndex, reader: StreamReader,
): Promise<readonly AttachedDevice[]> {
  const devices: AttachedDevice[] = [];
  for (const { key } of await index.devicesOf(vm)) {
    const { state } = await reader.device(key);
    if (state.kind === 'attached') devices.push(state);
  }
  return devices;
}
