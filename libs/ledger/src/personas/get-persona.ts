import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { type PersonaName, personaStream, type PublishedPersona } from '@cadastre/lifecycle';
import { absent } from '../absent.js';
import { type QueryOutcome } from '../outcome.js';
import { asOf, StreamReader } from '../stream-reader.js';

/** One persona with all its versions, as its stream tells it, now or as of a position. */
export class GetPersona extends Query<QueryOutcome<PublishedPersona>> {
  constructor(readonly name: PersonaName, readonly at: Position | null = null) {
    super();
  }
}

@QueryHandler(GetPersona)
export class GetPersonaHandler implements IQueryHandler<GetPersona> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ name, at }: GetPersona): Promise<QueryOutcome<PublishedPersona>> {
    const { state } = await this.reader.persona(name, asOf(at));
    if (state.kind === 'unpublished') {
      return absent(this.reader, personaStream(name), at, { kind: 'persona-unknown', name, version: null });
    }
    return { kind: 'found', view: state, revision: state.revision };
  }
}
