import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type LayoutDocument } from '@cadastre/device-layout';
import {
  fold, isPersonaEvent, personaDecider, type PersonaName, type PersonaState, personaStream,
} from '@cadastre/lifecycle';
import { type CommandOutcome, type Precondition } from '../outcome.js';
import { missing, unmet } from '../precondition.js';
import { type Decided, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';

/** Publishes another version of a persona. */
export class PublishPersona extends Command<CommandOutcome<PersonaState>> {
  constructor(
    readonly identity: RequestIdentity, readonly name: PersonaName, readonly layout: LayoutDocument,
    readonly instanceType: string | null, readonly precondition: Precondition,
  ) {
    super();
  }
}

@CommandHandler(PublishPersona)
export class PublishPersonaHandler implements ICommandHandler<PublishPersona> {
  constructor(private readonly recorder: Recorder, private readonly reader: StreamReader) {}

  execute(command: PublishPersona): Promise<CommandOutcome<PersonaState>> {
    return this.recorder.record(command.identity, {
      stream: personaStream(command.name),
      decide: () => this.decide(command),
      stateAt: async (revision) => (await this.reader.persona(command.name, revision)).state,
    });
  }

  private async decide({ name, layout, instanceType, precondition }: PublishPersona): Promise<Decided<PersonaState>> {
    const { state, revision } = await this.reader.persona(name);
    const stream = personaStream(name);
    const stale = unmet(precondition, stream, revision) ?? missing(precondition, stream, revision);
    if (stale) return { kind: 'refused', refusal: stale };
    const decision = personaDecider.decide({ kind: 'publish-persona', name, instanceType, layout }, state);
    if (!decision.ok) return { kind: 'refused', refusal: decision.refusal };
    return {
      kind: 'decided',
      changes: [{ stream, expectedRevision: revision, events: decision.value }],
      after: (recorded) => fold(personaDecider, recorded.filter(isPersonaEvent), state),
    };
  }
}
