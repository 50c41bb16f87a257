import { type ListEntry } from '@cadastre/device-layout';
import {
  DeviceId, type DeviceKey, isImportEvent, isMigrationEvent, isPasidEvent, isVmEvent, VmId,
} from '@cadastre/lifecycle';
import { CapabilityName } from './capability-name.js';
import { type DeviceRow } from './device-row.js';
import { type Projection, type RowChange, type RowsBefore } from './projection.js';

/** The list of devices: one row for every device that was ever attached. */
export const deviceProjection: Projection = {
  name: 'devices',
  reads: ['functions'],
  project({ event, stream, revision }, before) {
    if (isMigrationEvent(event) || isVmEvent(event) || isImportEvent(event)) return [];
    if (isPasidEvent(event)) return [put({ ...known(stream, before), revision })];
    switch (event.type) {
      case 'DeviceAttached': {
        const key = { vm: event.vm, device: event.device };
        const model = before.function(event.function)?.model ?? null;
        return [put({ ...detached(key, revision), state: 'attached', function: event.function, model })];
      }
      case 'LayoutDecided': {
        const { layoutDigest, standardList, extendedList, vmm } = event;
        const capabilities = guestCapabilities(standardList, extendedList);
        const judged = { vmm: vmm?.vmm.name ?? null, verdict: vmm?.verdict ?? null };
        return [put({ ...known(stream, before), revision, capabilities, layoutDigest, ...judged })];
      }
      case 'LayoutConfirmed': case 'LayoutDiverged': return [put({ ...known(stream, before), revision })];
      case 'LayoutImported': {
        const row = detached({ vm: event.vm, device: event.device }, revision);
        const model = event.function && (before.function(event.function)?.model ?? null);
        return [put(event.function ? { ...row, state: 'attached', function: event.function, model } : row)];
      }
      case 'DeviceMoved': {
        const model = before.function(event.to)?.model ?? null;
        return [put({ ...known(stream, before), revision, function: event.to, model })];
      }
      case 'DeviceDetached': return [put(detached(known(stream, before).key, revision))];
      case 'FunctionRegistered': case 'FunctionObserved': case 'ObservationConfirmed':
      case 'FunctionClaimed': case 'FunctionReleased': case 'FunctionRetired':
      case 'SharedCapabilityUsed': case 'SharedCapabilityFreed': case 'PersonaPublished': return [];
    }
  },
};

function detached(key: DeviceKey, revision: number): DeviceRow {
  return {
    key, revision, state: 'detached', function: null, model: null, capabilities: [], layoutDigest: null, vmm: null,
    verdict: null,
  };
}

/** Anchors are empty headers that only lead on. */
function guestCapabilities(
  standardList: readonly ListEntry[], extendedList: readonly ListEntry[],
): readonly CapabilityName[] {
  const real = (list: readonly ListEntry[]): readonly ListEntry[] => list.filter(({ origin }) => origin !== 'anchor');
  return CapabilityName.setOf([
    ...real(standardList).map(({ id }) => CapabilityName.of('standard', id)),
    ...real(extendedList).map(({ id }) => CapabilityName.of('extended', id)),
  ]);
}

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
