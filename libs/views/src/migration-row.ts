import { type HostName, type KnownMigration, type MigrationKey } from '@cadastre/lifecycle';

/** One migration of a VM. */
export interface MigrationRow {
  readonly key: MigrationKey;
  readonly revision: number;
  /** The position of its first event: migrations are listed in this order. */
  readonly since: number;
  readonly state: KnownMigration['kind'];
  /** Where the VM is to go. */
  readonly host: HostName;
  /** How many devices go along. */
  readonly devices: number;
}

/** The row of a migration as its stream tells it. */
export function migrationRowOf({ key, revision, kind, host, moves }: KnownMigration, since: number): MigrationRow {
  return { key, revision, since, state: kind, host, devices: moves.length };
}
