import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { type DeviceKey, type DeviceState, deviceStream } from '@cadastre/lifecycle';
import { absent } from '../absent.js';
import { type QueryOutcome } from '../outcome.js';
import { asOf, StreamReader } from '../stream-reader.js';

export type KnownDevice = Exclude<DeviceState, { kind: 'unknown' }>;

/** One device as its stream tells it, now or as of a position. */
export class GetDevice extends Query<QueryOutcome<KnownDevice>> {
  constructor(readonly key: DeviceKey, readonly at: Position | null = null) {
    super();
  }
}

@QueryHandler(GetDevice)
export class GetDeviceHandler implements IQueryHandler<GetDevice> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key, at }: GetDevice): Promise<QueryOutcome<KnownDevice>> {
    const { state } = await this.reader.device(key, asOf(at));
    if (state.kind === 'unknown') {
      return absent(this.reader, deviceStream(key), at, { kind: 'device-unknown', ...key });
    }
    return { kind: 'found', view: state, revision: state.revision };
  }
}
