import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type ConfigSpace } from '@cadastre/config-space';
import { type Position } from '@cadastre/event-store';
import {
  type DecidedLayout, type DeviceKey, deviceStream, type FunctionKey, notAttached, rebuildGuestConfigSpace,
} from '@cadastre/lifecycle';
import { absent } from '../absent.js';
import { type QueryOutcome } from '../outcome.js';
import { asOf, StreamReader } from '../stream-reader.js';

export interface GuestConfigSpace {
  readonly function: FunctionKey;
  readonly layout: DecidedLayout;
  readonly space: ConfigSpace;
}

/** What a VM's device shows, now or as of a position, rebuilt from the record and checked against its digest. */
export class GetGuestConfigSpace extends Query<QueryOutcome<GuestConfigSpace>> {
  constructor(readonly key: DeviceKey, readonly at: Position | null = null) {
    super();
  }
}

@QueryHandler(GetGuestConfigSpace)
export class GetGuestConfigSpaceHandler implements IQueryHandler<GetGuestConfigSpace> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key, at }: GetGuestConfigSpace): Promise<QueryOutcome<GuestConfigSpace>> {
    const { state } = await this.reader.device(key, asOf(at));
    if (state.kind === 'unknown') {
      return absent(this.reader, deviceStream(key), at, { kind: 'device-unknown', ...key });
    }
    if (state.kind !== 'attached') return { kind: 'refused', refusal: notAttached(key, state) };
    const { layout, revision } = state;
    if (!layout) {
      // Between the two events of one attach: the next one decides the layout.
      const { position: since } = await this.reader.named({ stream: deviceStream(key), revision: revision + 1 });
      return { kind: 'refused', refusal: { kind: 'layout-undecided', ...key, since } };
    }
    const space = rebuildGuestConfigSpace(layout, await this.reader.observation(layout.observation));
    return { kind: 'found', view: { function: state.function, layout, space }, revision };
  }
}
