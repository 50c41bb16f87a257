import {
  DeviceId, type DeviceKey, isImportEvent, isMigrationEvent, isPasidEvent, isVmEvent, VmId,
} from '@cadastre/lifecycle';
import { detachedRow, type DeviceRow, guestCapabilities } from './device-row.js';
import { type Projection, type RowChange, type RowsBefore } from './projection.js';

/** The list of devices: one row for every device that was ever attached. */
export const deviceProjection: Projection = {
  name: 'devices',
  reads: ['functions'],
  project({ event, stream, revision, position }, before) {
    if (isMigrationEvent(event) || isVmEvent(event) || isImportEvent(event)) return [];
    if (isPasidEvent(event)) return [put({ ...known(stream, before), revision })];
    switch (event.type) {
      case 'DeviceAttached': {
        const key = { vm: event.vm, device: event.device };
        const since = before.device(key)?.since ?? position;
        return [put({ ...detachedRow(key, revision, since), state: 'attached', function: event.function })];
      }
      case 'LayoutDecided': {
        const { layoutDigest, standardList, extendedList, vmm } = event;
        const capabilities = guestCapabilities(standardList, extendedList);
        const judged = { vmm: vmm?.vmm.name ?? null, verdict: vmm?.verdict ?? null };
        const row = known(stream, before);
        const model = row.function && (before.function(row.function)?.model ?? null);
        return [put({ ...row, revision, model, capabilities, layoutDigest, ...judged })];
      }
      case 'LayoutConfirmed': case 'LayoutDiverged': return [put({ ...known(stream, before), revision })];
      case 'LayoutImported': {
        const key = { vm: event.vm, device: event.device };
        const row = detachedRow(key, revision, before.device(key)?.since ?? position);
        return [put(event.function ? { ...row, state: 'attached', function: event.function } : row)];
      }
      case 'DeviceMoved': return [put({ ...known(stream, before), revision, function: event.to })];
      case 'DeviceDetached': {
        const { key, since } = known(stream, before);
        return [put(detachedRow(key, revision, since))];
      }
      case 'FunctionRegistered': case 'FunctionObserved': case 'HostFactsObserved':
      case 'ObservationConfirmed': case 'FunctionClaimed': case 'FunctionReleased': case 'FunctionRetired':
      case 'SharedCapabilityUsed': case 'SharedCapabilityFreed': case 'PersonaPublished': return [];
    }
  },
};

function known(stream: string, before: RowsBefore): DeviceRow {
  const row = before.device(deviceKeyOf(stream));
  if (row) return row;
  throw new Error(`${stream} was never attached`);
}

/** Reads back what `deviceStream` wrote; throws on anything else. */
export function deviceKeyOf(stream: string): DeviceKey {
  const [, first = '', second = ''] = /^device-(.*)\/(.*)$/.exec(stream) ?? [];
  const vm = VmId.from(first);
  const device = DeviceId.from(second);
  if (vm.ok && device.ok) return { vm: vm.value, device: device.value };
  throw new Error(`${stream} is not the stream of a device`);
}

function put(row: DeviceRow): RowChange {
  return { kind: 'device', row };
}
