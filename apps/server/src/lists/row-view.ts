import { type DeviceRow, type FunctionRow, type MigrationRow } from '@cadastre/views';

/** Rows as the API shows them. */
export function functionRowView(row: FunctionRow): object {
  const { key, revision, vendorId, deviceId, classCode, role, pf, model, capabilities, serialNumber, claim } = row;
  return {
    ...key, revision, vendorId, deviceId, model, class: classCode, role, pf, capabilities, serialNumber, claim,
    endangered: row.dangers !== null, retired: row.isRetired,
  };
}

export function deviceRowView(row: DeviceRow): object {
  const { key, revision, state, function: attached, model, capabilities, layoutDigest, vmm, verdict } = row;
  const source = attached && { host: attached.host, address: attached.address };
  return { ...key, revision, state, function: source, model, capabilities, layoutDigest, vmm, verdict };
}

export function migrationRowView({ key, state, revision, host, devices }: MigrationRow): object {
  return { ...key, state, revision, host, devices };
}
