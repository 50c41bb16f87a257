import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { deviceStream } from '@cadastre/lifecycle';
import { type DeviceFilter, filterFits, type DeviceRow, Views } from '@cadastre/views';
import { StreamReader } from '../stream-reader.js';
import { answered, type ListOutcome, scanned } from './list-outcome.js';
import { deviceThen } from './rows-then.js';

/** A page of the devices that fit a filter, now or as of a position, by their streams, behind `after`. */
export class ListDevices extends Query<ListOutcome<DeviceRow>> {
  constructor(
    readonly filter: DeviceFilter, readonly after: string, readonly limit: number, readonly at: Position | null = null,
  ) {
    super();
  }
}

/** The view has the rows of the present; what they were is folded, a page at a time and not the log. */
@QueryHandler(ListDevices)
export class ListDevicesHandler implements IQueryHandler<ListDevices> {
  constructor(private readonly views: Views, private readonly reader: StreamReader) {}

  execute({ filter, after, limit, at }: ListDevices): Promise<ListOutcome<DeviceRow>> {
    const nameOf = ({ key }: DeviceRow): string => deviceStream(key);
    if (at === null) return answered(this.views.devices(filter, after, limit), nameOf);
    const { vm } = filter;
    const there = { at, ...(vm === undefined ? {} : { vm }) };
    const list = (behind: string, most: number): Promise<ListOutcome<DeviceRow>> =>
      answered(this.views.devices(there, behind, most), nameOf);
    return scanned(list, nameOf, async (present) => {
      const row = await deviceThen(present, at, this.reader);
      return row && filterFits.device(row, filter) ? row : undefined;
    }, after, limit);
  }
}
