import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Pasid } from '@cadastre/config-space';
import { type Position } from '@cadastre/event-store';
import {
  type DeviceKey, deviceStream, notAttached, type PageTable, type PasidState, PasidTable,
} from '@cadastre/lifecycle';
import { absent } from '../absent.js';
import { type QueryOutcome } from '../outcome.js';
import { asOf, StreamReader } from '../stream-reader.js';

export interface PasidPage {
  readonly pasids: PasidState;
  readonly rows: readonly (readonly [Pasid, PageTable])[];
  readonly more: boolean;
}

/**
 * PASID, ATS and PRI of a device, now or as of a position, and a page of its PASIDs behind `after`, which is -1 at the
 * beginning.
 */
export class ListPasids extends Query<QueryOutcome<PasidPage>> {
  constructor(
    readonly key: DeviceKey, readonly after: number, readonly limit: number, readonly at: Position | null,
  ) {
    super();
  }
}

@QueryHandler(ListPasids)
export class ListPasidsHandler implements IQueryHandler<ListPasids> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key, after, limit, at }: ListPasids): Promise<QueryOutcome<PasidPage>> {
    const { state } = await this.reader.device(key, asOf(at));
    if (state.kind === 'unknown') {
      return absent(this.reader, deviceStream(key), at, { kind: 'device-unknown', ...key });
    }
    if (state.kind !== 'attached') return { kind: 'refused', refusal: notAttached(key, state) };
    const { pasids, revision } = state;
    const found = PasidTable.page(pasids.attached, after, limit + 1);
    return { kind: 'found', revision, view: { pasids, rows: found.slice(0, limit), more: found.length > limit } };
  }
}
