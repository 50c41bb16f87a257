import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { type VmId } from '@cadastre/lifecycle';
import { filterFits, type MigrationFilter, type MigrationRow, Views } from '@cadastre/views';
import { unknownVm } from '../devices/devices-ever.js';
import { answered, type ListFound, type ListOutcome, scanned } from '../lists/list-outcome.js';
import { migrationThen } from '../lists/rows-then.js';
import { type Refusal } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';

/**
 * A page of the migrations that fit a filter, now or as of a position, oldest first, behind the one that began at the
 * position `after`; "" is the beginning.
 */
export class ListMigrations extends Query<ListOutcome<MigrationRow>> {
  constructor(
    readonly filter: MigrationFilter, readonly after: string, readonly limit: number, readonly at: Position | null,
  ) {
    super();
  }
}

@QueryHandler(ListMigrations)
export class ListMigrationsHandler implements IQueryHandler<ListMigrations> {
  constructor(private readonly views: Views, private readonly reader: StreamReader) {}

  execute({ filter, after, limit, at }: ListMigrations): Promise<ListOutcome<MigrationRow>> {
    const nameOf = ({ since }: MigrationRow): string => String(since);
    const list = (asked: MigrationFilter, behind: string, most: number): Promise<ListOutcome<MigrationRow>> =>
      answered(this.views.migrations(asked, behind === '' ? -1 : Number(behind), most), nameOf);
    if (at === null) return list(filter, after, limit);
    const { vm, host } = filter;
    // Where it goes and which VM is told by its first event; what became of it is folded.
    const same = { at, ...(vm === undefined ? {} : { vm }), ...(host === undefined ? {} : { host }) };
    return scanned((behind, most) => list(same, behind, most), nameOf, async (present) => {
      const row = await migrationThen(present, at, this.reader);
      return row && filterFits.migration(row, filter) ? row : undefined;
    }, after, limit);
  }
}

type VmMigrationsOutcome = ListFound<MigrationRow> | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The same of one VM, which must be known. */
export class ListVmMigrations extends Query<VmMigrationsOutcome> {
  constructor(readonly vm: VmId, readonly after: string, readonly limit: number, readonly at: Position | null) {
    super();
  }
}

@QueryHandler(ListVmMigrations)
export class ListVmMigrationsHandler implements IQueryHandler<ListVmMigrations> {
  constructor(private readonly views: Views, private readonly reader: StreamReader) {}

  async execute({ vm, after, limit, at }: ListVmMigrations): Promise<VmMigrationsOutcome> {
    const list = new ListMigrations({ vm }, after, limit, at);
    return await unknownVm(this.views, vm, at) ?? new ListMigrationsHandler(this.views, this.reader).execute(list);
  }
}
