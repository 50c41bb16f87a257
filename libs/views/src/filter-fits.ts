import { type DeviceRow } from './device-row.js';
import { type FunctionRow } from './function-row.js';
import { type DeviceFilter, type FunctionFilter, type MigrationFilter } from './list-query.js';
import { type MigrationRow } from './migration-row.js';

/** Whether a row meets all conditions of a filter but `at`: for rows that are not in the tables. */
export const filterFits = {
  function(row: FunctionRow, { host, vm, model, capability, claimed, pf }: FunctionFilter): boolean {
    return holds(host, row.key.host) && holds(vm, row.claim?.vm) && holds(model, row.model)
      && holds(claimed, row.claim !== null) && holds(pf, row.pf)
      && (capability === undefined || row.capabilities.includes(capability));
  },

  device(row: DeviceRow, { vm, host, model, capability, layoutDigest, verdict, state }: DeviceFilter): boolean {
    return holds(vm, row.key.vm) && holds(host, row.function?.host) && holds(model, row.model)
      && holds(layoutDigest, row.layoutDigest) && holds(verdict, row.verdict) && holds(state, row.state)
      && (capability === undefined || row.capabilities.includes(capability));
  },

  migration(row: MigrationRow, { vm, host, state }: MigrationFilter): boolean {
    return holds(vm, row.key.vm) && holds(host, row.host) && holds(state, row.state);
  },
};

/** A condition that was not asked for holds. */
function holds<T>(asked: T | undefined, actual: T | null | undefined): boolean {
  return asked === undefined || asked === actual;
}
