import { type Digest, type ListEntry, type VmmDecision } from '@cadastre/device-layout';
import { type DeviceKey, type DeviceState, type FunctionKey } from '@cadastre/lifecycle';
import { CapabilityName } from './capability-name.js';
import { type Model } from './model.js';

/** What the VMM a layout was decided for makes of it. */
export const deviceVerdicts = ['exact', 'obeys-with-knob', 'cannot-obey'] as const satisfies
  readonly VmmDecision['verdict'][];

export const deviceStates = ['attached', 'detached'] as const;

/** One device of a VM. All but its name, state and revision is empty while it is detached. */
export interface DeviceRow {
  readonly key: DeviceKey;
  readonly revision: number;
  /** The position of its first event. */
  readonly since: number;
  readonly state: (typeof deviceStates)[number];
  readonly function: FunctionKey | null;
  /** What the function was when the layout was decided. */
  readonly model: Model | null;
  /** What the guest finds in its lists, each once. */
  readonly capabilities: readonly CapabilityName[];
  readonly layoutDigest: Digest | null;
  /** The VMM the layout was decided for, and what it makes of it; null where none was named. */
  readonly vmm: string | null;
  readonly verdict: VmmDecision['verdict'] | null;
}

/** The row of a device that is attached to nothing. */
export function detachedRow(key: DeviceKey, revision: number, since: number): DeviceRow {
  return {
    key, revision, since, state: 'detached', function: null, model: null, capabilities: [], layoutDigest: null,
    vmm: null, verdict: null,
  };
}

/** What a guest finds in its lists. Anchors are empty headers that only lead on. */
export function guestCapabilities(
  standardList: readonly ListEntry[], extendedList: readonly ListEntry[],
): readonly CapabilityName[] {
  const real = (list: readonly ListEntry[]): readonly ListEntry[] => list.filter(({ origin }) => origin !== 'anchor');
  return CapabilityName.setOf([
    ...real(standardList).map(({ id }) => CapabilityName.of('standard', id)),
    ...real(extendedList).map(({ id }) => CapabilityName.of('extended', id)),
  ]);
}

/**
 * The row of a device as its stream tells it.
 * @param model of the function when the layout was decided; null while nothing is attached
 */
export function deviceRowOf(
  device: Exclude<DeviceState, { kind: 'unknown' }>, since: number, model: Model | null,
): DeviceRow {
  const { key, revision } = device;
  const row = detachedRow(key, revision, since);
  if (device.kind === 'detached') return row;
  const { layout } = device;
  return {
    ...row, state: 'attached', function: device.function, model,
    capabilities: layout ? guestCapabilities(layout.standardList, layout.extendedList) : [],
    layoutDigest: layout?.layoutDigest ?? null, vmm: layout?.vmm?.vmm.name ?? null,
    verdict: layout?.vmm?.verdict ?? null,
  };
}
