import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type KnownMigration, type VmId } from '@cadastre/lifecycle';
import { StreamReader } from '../stream-reader.js';
import { MigrationIndex } from './migration-index.js';

/** A page of a VM's migrations, oldest first; `more` tells whether others follow. */
export interface MigrationPage {
  readonly migrations: readonly KnownMigration[];
  readonly more: boolean;
}

/** The migrations of a VM behind the `after` oldest ones. */
export class ListMigrations extends Query<MigrationPage> {
  constructor(readonly vm: VmId, readonly after: number, readonly limit: number) {
    super();
  }
}

@QueryHandler(ListMigrations)
export class ListMigrationsHandler implements IQueryHandler<ListMigrations> {
  constructor(private readonly reader: StreamReader, private readonly index: MigrationIndex) {}

  async execute({ vm, after, limit }: ListMigrations): Promise<MigrationPage> {
    const behind = (await this.index.of(vm)).slice(after);
    const migrations: KnownMigration[] = [];
    for (const key of behind.slice(0, limit)) {
      const { state } = await this.reader.migration(key);
      if (state.kind !== 'unknown') migrations.push(state);
    }
    return { migrations, more: behind.length > limit };
  }
}
