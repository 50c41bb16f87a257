import { isMigrationEvent, MigrationId, type MigrationKey, VmId } from '@cadastre/lifecycle';
import { type MigrationRow } from './migration-row.js';
import { type Projection, type RowChange, type RowsBefore } from './projection.js';

/** The list of migrations: one row for each that was ever planned. */
export const migrationProjection: Projection = {
  name: 'migrations',
  reads: [],
  project({ event, stream, revision, position }, before) {
    if (!isMigrationEvent(event)) return [];
    switch (event.type) {
      case 'MigrationPlanned': {
        const { vm, id, host, moves } = event;
        return [put({
          key: { vm, id }, revision, since: position, state: 'planned', host, devices: moves.length,
        })];
      }
      case 'MigrationPrepared': return [put({ ...known(stream, before), revision, state: 'prepared' })];
      case 'MigrationCompleted': return [put({ ...known(stream, before), revision, state: 'completed' })];
      case 'MigrationAborted': return [put({ ...known(stream, before), revision, state: 'aborted' })];
    }
  },
};

function known(stream: string, before: RowsBefore): MigrationRow {
  const row = before.migration(migrationKeyOf(stream));
  if (row) return row;
  throw new Error(`${stream} was never planned`);
}

/** Reads back what `migrationStream` wrote; throws on anything else. */
function migrationKeyOf(stream: string): MigrationKey {
  const [, first = '', second = ''] = /^migration-(.*)\/(.*)$/.exec(stream) ?? [];
  const vm = VmId.from(first);
  const id = MigrationId.from(second);
  if (vm.ok && id.ok) return { vm: vm.value, id: id.value };
  throw new Error(`${stream} is not the stream of a migration`);
}

function put(row: MigrationRow): RowChange {
  return { kind: 'migration', row };
}
