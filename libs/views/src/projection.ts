import { type Bdf, type Survey } from '@cadastre/config-space';
import { type Evidence } from '@cadastre/device-layout';
import {
  type DeviceKey, type FunctionKey, type HostName, type LedgerEvent, type MigrationKey, type Observation,
} from '@cadastre/lifecycle';
import { type Clash } from './clash.js';
import { type DeviceRow } from './device-row.js';
import { type FunctionRow } from './function-row.js';
import { type MigrationRow } from './migration-row.js';
import { type ObservedFunction } from './observed-function.js';
import { type ObservedModel } from './observed-model.js';

/** One event and where it stands. */
export interface ToldEvent {
  readonly event: LedgerEvent;
  /** An observation, whole; null for every other event. */
  readonly observation: Observation | null;
  /** What it tells. */
  readonly seen: ObservedFunction | null;
  /** Its bytes, read once for all views. */
  readonly surveyed: Survey | null;
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly recordedAt: string;
}

/** The rows as they were before an event: all a projection may look at beside the event itself. */
export interface RowsBefore {
  function(key: FunctionKey): FunctionRow | undefined;
  device(key: DeviceKey): DeviceRow | undefined;
  migration(key: MigrationKey): MigrationRow | undefined;
  /** VFs on a host that name this PF, in order of their address. */
  virtualFunctionsOf(pf: { readonly host: HostName; readonly address: Bdf }): readonly FunctionRow[];
  /** Functions of other hosts, in service, with this serial number, in order; at most `limit`. */
  elsewhereWithSerial(serialNumber: string, host: HostName, limit: number): readonly FunctionRow[];
  evidence(model: ObservedModel): Evidence | undefined;
}

/**
 * A row to put in place of the one before it, or a clash to add, or that a function once named another its PF, or
 * evidence that goes on from what was known of its model.
 */
export type RowChange =
  | { readonly kind: 'function'; readonly row: FunctionRow }
  | { readonly kind: 'device'; readonly row: DeviceRow }
  | { readonly kind: 'migration'; readonly row: MigrationRow }
  | { readonly kind: 'member'; readonly key: FunctionKey; readonly pf: Bdf }
  | { readonly kind: 'clash'; readonly clash: Clash }
  | { readonly kind: 'evidence'; readonly model: ObservedModel; readonly evidence: Evidence };

/** One view: what each event changes in its rows. Pure; what it throws halts it at that event. */
export interface Projection {
  readonly name: ViewName;
  /** Views whose rows it looks at: when one of them halts, so does it. */
  readonly reads: readonly ViewName[];
  project(told: ToldEvent, before: RowsBefore): readonly RowChange[];
}

export const viewNames = ['functions', 'devices', 'migrations', 'clashes', 'evidence'] as const;
export type ViewName = (typeof viewNames)[number];
