import { type Result } from '@cadastre/config-space';

/**
 * The whole behaviour of one kind of stream. `decide` may refuse and never changes anything; `evolve` never refuses,
 * calls nothing and never throws. State is only ever a fold of events.
 *
 * @template Evolving what `evolve` is content with: an event, or less
 */
export interface Decider<Command, State, Event, Refusal, Evolving = Event> {
  readonly initial: State;
  decide(command: Command, state: State): Result<readonly Event[], Refusal>;
  readonly evolve: (state: State, event: Evolving) => State;
}

/** The state a history leads to. */
export function fold<Command, State, Event, Refusal>(
  decider: Decider<Command, State, Event, Refusal>, events: Iterable<Event>, from: State = decider.initial,
): State {
  let state = from;
  for (const event of events) state = decider.evolve(state, event);
  return state;
}
