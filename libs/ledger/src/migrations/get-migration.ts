import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { type KnownMigration, type MigrationKey, migrationStream } from '@cadastre/lifecycle';
import { absent } from '../absent.js';
import { type QueryOutcome } from '../outcome.js';
import { asOf, StreamReader } from '../stream-reader.js';

/** One migration as its stream tells it, now or as of a position. */
export class GetMigration extends Query<QueryOutcome<KnownMigration>> {
  constructor(readonly key: MigrationKey, readonly at: Position | null = null) {
    super();
  }
}

@QueryHandler(GetMigration)
export class GetMigrationHandler implements IQueryHandler<GetMigration> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key, at }: GetMigration): Promise<QueryOutcome<KnownMigration>> {
    const { state } = await this.reader.migration(key, asOf(at));
    if (state.kind !== 'unknown') return { kind: 'found', view: state, revision: state.revision };
    return absent(this.reader, migrationStream(key), at, { kind: 'migration-unknown', ...key });
  }
}
