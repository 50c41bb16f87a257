import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type DeviceKey, type DeviceState } from '@cadastre/lifecycle';
import { type QueryOutcome } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';

export type KnownDevice = Exclude<DeviceState, { kind: 'unknown' }>;

/** One device as its stream tells it. */
export class GetDevice extends Query<QueryOutcome<KnownDevice>> {
  constructor(readonly key: DeviceKey) {
    super();
  }
}

@QueryHandler(GetDevice)
export class GetDeviceHandler implements IQueryHandler<GetDevice> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key }: GetDevice): Promise<QueryOutcome<KnownDevice>> {
    const { state } = await this.reader.device(key);
    if (state.kind === 'unknown') return { kind: 'refused', refusal: { kind: 'device-unknown', ...key } };
    return { kind: 'found', view: state, revision: state.revision };
  }
}
