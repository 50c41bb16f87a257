import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { type ImportKey, importStream, type KnownImport } from '@cadastre/lifecycle';
import { absent } from '../absent.js';
import { type QueryOutcome } from '../outcome.js';
import { asOf, StreamReader } from '../stream-reader.js';

/** One import as its stream tells it, now or as of a position. */
export class GetImport extends Query<QueryOutcome<KnownImport>> {
  constructor(readonly key: ImportKey, readonly at: Position | null = null) {
    super();
  }
}

@QueryHandler(GetImport)
export class GetImportHandler implements IQueryHandler<GetImport> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key, at }: GetImport): Promise<QueryOutcome<KnownImport>> {
    const { state } = await this.reader.import(key, asOf(at));
    if (state.kind === 'imported') return { kind: 'found', view: state, revision: 0 };
    return absent(this.reader, importStream(key), at, { kind: 'import-unknown', ...key });
  }
}
