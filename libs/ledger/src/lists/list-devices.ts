import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type DeviceFilter, type DeviceRow, Views } from '@cadastre/views';
import { answered, type ListOutcome } from './list-outcome.js';

/** A page of the devices that fit a filter, in order of their streams, behind the stream `after`. */
export class ListDevices extends Query<ListOutcome<DeviceRow>> {
  constructor(readonly filter: DeviceFilter, readonly after: string, readonly limit: number) {
    super();
  }
}

@QueryHandler(ListDevices)
export class ListDevicesHandler implements IQueryHandler<ListDevices> {
  constructor(private readonly views: Views) {}

  execute({ filter, after, limit }: ListDevices): Promise<ListOutcome<DeviceRow>> {
    return answered(this.views.devices(filter, after, limit));
  }
}
