import { type DeviceRow, type FunctionRow } from '@cadastre/views';

/** Rows as the API shows them. */
export function functionRowView(row: FunctionRow): object {
  const { key, revision, vendorId, deviceId, classCode, role, pf, model, capabilities, serialNumber, claim } = row;
  return {
    ...key, revision, vendorId, deviceId, model, class: classCode, role, pf, capabilities, serialNumber, claim,
    endangered: row.dangers !== null, retired: row.isRetired,
  };
}

export function deviceRowView({ key, ...row }: DeviceRow): object {
  return { ...key, ...row };
}
