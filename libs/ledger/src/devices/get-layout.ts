import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type LayoutDocument, type LayoutEvents } from '@cadastre/device-layout';
import { type Position } from '@cadastre/event-store';
import { decidedDocument, type DeviceKey, deviceStream, notAttached } from '@cadastre/lifecycle';
import { absent } from '../absent.js';
import { type QueryOutcome } from '../outcome.js';
import { asOf, StreamReader } from '../stream-reader.js';

/** A layout as a document, and the events it comes from. */
export interface RecordedLayout {
  readonly document: LayoutDocument;
  readonly events: LayoutEvents;
}

/** The layout of an attached device, now or as of a position, made from the record alone. */
export class GetLayout extends Query<QueryOutcome<RecordedLayout>> {
  constructor(readonly key: DeviceKey, readonly at: Position | null = null) {
    super();
  }
}

@QueryHandler(GetLayout)
export class GetLayoutHandler implements IQueryHandler<GetLayout> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key, at }: GetLayout): Promise<QueryOutcome<RecordedLayout>> {
    const stream = deviceStream(key);
    const { state } = await this.reader.device(key, asOf(at));
    if (state.kind === 'unknown') return absent(this.reader, stream, at, { kind: 'device-unknown', ...key });
    if (state.kind !== 'attached' || !state.layout || state.decidedAt === null) {
      return { kind: 'refused', refusal: notAttached(key, state) };
    }
    const { layout, decidedAt, revision } = state;
    const { observation, captured } = await this.reader.observed(layout.observation);
    const [decided, observed] = await Promise.all([
      this.reader.named({ stream, revision: decidedAt }), this.reader.named(captured)]);
    const document = decidedDocument(layout, observation);
    return { kind: 'found', view: { document, events: { decided, observed } }, revision };
  }
}
