import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type PersonaName, type PublishedPersona } from '@cadastre/lifecycle';
import { type QueryOutcome } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';

/** One persona with all its versions, as its stream tells it. */
export class GetPersona extends Query<QueryOutcome<PublishedPersona>> {
  constructor(readonly name: PersonaName) {
    super();
  }
}

@QueryHandler(GetPersona)
export class GetPersonaHandler implements IQueryHandler<GetPersona> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ name }: GetPersona): Promise<QueryOutcome<PublishedPersona>> {
    const { state } = await this.reader.persona(name);
    if (state.kind === 'unpublished') {
      return { kind: 'refused', refusal: { kind: 'persona-unknown', name, version: null } };
    }
    return { kind: 'found', view: state, revision: state.revision };
  }
}
