import { type Bdf, type SriovRole } from '@cadastre/config-space';
import { type Digest } from '@cadastre/device-layout';
import {
  type DeviceId, deviceStream, functionStream, type HostName, type MigrationId, migrationStream, type VmId,
} from '@cadastre/lifecycle';
import { type CapabilityName } from './capability-name.js';
import { type Clash, type ClashKind } from './clash.js';
import { type DeviceRow } from './device-row.js';
import { type FunctionRow } from './function-row.js';
import { type MigrationRow } from './migration-row.js';
import { type Model } from './model.js';

/** A row of `function` with its kind, as SQLite gives it. */
export interface StoredFunction {
  readonly host: HostName;
  readonly address: Bdf;
  readonly revision: number;
  readonly since: number;
  readonly vendor_id: number;
  readonly device_id: number;
  readonly class_code: number;
  readonly role: SriovRole;
  readonly pf: Bdf | null;
  readonly model: Model;
  readonly vf_model: Model | null;
  readonly capabilities: string;
  readonly serial_number: string | null;
  readonly structure: Digest;
  readonly vm: VmId | null;
  readonly device: DeviceId | null;
  readonly migration: MigrationId | null;
  readonly dangers: Digest | null;
  readonly retired: 0 | 1;
}

export interface StoredDevice {
  readonly vm: VmId;
  readonly device: DeviceId;
  readonly revision: number;
  readonly since: number;
  readonly state: DeviceRow['state'];
  readonly host: HostName | null;
  readonly address: Bdf | null;
  readonly model: Model | null;
  readonly capabilities: string;
  readonly layout_digest: Digest | null;
  readonly vmm: string | null;
  readonly verdict: DeviceRow['verdict'];
}

export interface StoredMigration {
  readonly vm: VmId;
  readonly id: MigrationId;
  readonly revision: number;
  readonly since: number;
  readonly host: HostName;
  readonly state: MigrationRow['state'];
  readonly devices: number;
}

export interface StoredClash {
  readonly id: number;
  readonly kind: ClashKind;
  readonly position: number;
  readonly recorded_at: string;
  readonly streams: string;
  readonly detail: string;
}

export function functionOf(stored: StoredFunction): FunctionRow {
  const { host, address, revision, since, role, pf, model, structure, vm, device, migration, dangers } = stored;
  return {
    key: { host, address }, revision, since,
    vendorId: stored.vendor_id, deviceId: stored.device_id, classCode: stored.class_code,
    role, pf, model, vfModel: stored.vf_model,
    capabilities: namesOf(stored.capabilities),
    serialNumber: stored.serial_number, structure,
    claim: vm !== null && device !== null ? { vm, device, migration } : null,
    dangers, isRetired: stored.retired === 1,
  };
}

/** The values of `function`, in the order of its columns; `kind` is the number of its kind. */
export function functionValues(row: FunctionRow, kind: number): readonly (string | number | null)[] {
  const { key, revision, since, vendorId, deviceId, classCode, role, pf, vfModel, claim } = row;
  return [
    functionStream(key), key.host, key.address, revision, since, vendorId, deviceId, classCode, role, pf,
    vfModel, kind, row.serialNumber, row.structure, claim?.vm ?? null, claim?.device ?? null,
    claim?.migration ?? null, row.dangers, row.isRetired ? 1 : 0,
  ];
}

/** The values of `function_kind`, in the order of its columns. */
export function functionKind({ capabilities, model, claim }: FunctionRow): readonly (string | number)[] {
  return [listText(capabilities), model, claim ? 1 : 0];
}

export function deviceOf(stored: StoredDevice): DeviceRow {
  const { vm, device, revision, since, state, host, address, model, capabilities, vmm, verdict } = stored;
  return {
    key: { vm, device }, revision, since, state,
    function: host !== null && address !== null ? { host, address } : null,
    model, capabilities: namesOf(capabilities), layoutDigest: stored.layout_digest, vmm, verdict,
  };
}

/** The values of `device`, in the order of its columns; `kind` is the number of its kind. */
export function deviceValues(row: DeviceRow, kind: number): readonly (string | number | null)[] {
  const { key, revision, since, layoutDigest, vmm } = row;
  return [
    deviceStream(key), key.vm, key.device, revision, since, row.function?.host ?? null, row.function?.address ?? null,
    kind, layoutDigest, vmm,
  ];
}

/** The values of `device_kind`, in the order of its columns. */
export function deviceKind({ capabilities, model, state, verdict }: DeviceRow): readonly (string | null)[] {
  return [listText(capabilities), model, state, verdict];
}

export function migrationOf({ vm, id, revision, since, host, state, devices }: StoredMigration): MigrationRow {
  return { key: { vm, id }, revision, since, state, host, devices };
}

/** The values of `migration`, in the order of its columns. */
export function migrationValues(row: MigrationRow): readonly (string | number)[] {
  const { key, revision, since, host, state, devices } = row;
  return [migrationStream(key), key.vm, key.id, revision, since, host, state, devices];
}

/** A clash with its number: they are numbered in the order in which they came to light. */
export interface ListedClash extends Clash {
  readonly id: number;
}

export function clashOf(stored: StoredClash): ListedClash {
  return {
    id: stored.id, kind: stored.kind, position: stored.position, recordedAt: stored.recorded_at,
    streams: JSON.parse(stored.streams) as Clash['streams'],
    detail: JSON.parse(stored.detail) as Clash['detail'],
  };
}

/** How the names of a capability list are kept: none holds a space. */
function listText(names: readonly CapabilityName[]): string {
  return names.join(' ');
}

function namesOf(list: string): readonly CapabilityName[] {
  return list === '' ? [] : list.split(' ') as CapabilityName[];
}
