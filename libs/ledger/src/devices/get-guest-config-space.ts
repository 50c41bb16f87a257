import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type ConfigSpace } from '@cadastre/config-space';
import { type DecidedLayout, type DeviceKey, type FunctionKey, rebuildGuestConfigSpace } from '@cadastre/lifecycle';
import { type QueryOutcome } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';

export interface GuestConfigSpace {
  readonly function: FunctionKey;
  readonly layout: DecidedLayout;
  readonly space: ConfigSpace;
}

/** The config space a VM's device shows, rebuilt from the record and checked against its digest. */
export class GetGuestConfigSpace extends Query<QueryOutcome<GuestConfigSpace>> {
  constructor(readonly key: DeviceKey) {
    super();
  }
}

@QueryHandler(GetGuestConfigSpace)
export class GetGuestConfigSpaceHandler implements IQueryHandler<GetGuestConfigSpace> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key }: GetGuestConfigSpace): Promise<QueryOutcome<GuestConfigSpace>> {
    const { state } = await this.reader.device(key);
    if (state.kind === 'unknown') return { kind: 'refused', refusal: { kind: 'device-unknown', ...key } };
    if (state.kind !== 'attached' || !state.layout) {
      return { kind: 'refused', refusal: { kind: 'device-not-attached', ...key } };
    }
    const { layout, revision } = state;
    const space = rebuildGuestConfigSpace(layout, await this.reader.observation(layout.observation));
    return { kind: 'found', view: { function: state.function, layout, space }, revision };
  }
}
