import { type CommandOutcome, type Refusal } from '@cadastre/ledger';

/** Carries a refusal of the ledger to the problem filter. */
export class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.kind);
    this.name = 'Refused';
  }
}

type Recorded<State> = Extract<CommandOutcome<State>, { kind: 'recorded' }>;

/** The recorded outcome; throws `Refused` for the other one. */
export function recorded<State>(outcome: CommandOutcome<State>): Recorded<State> {
  if (outcome.kind === 'refused') throw new Refused(outcome.refusal);
  return outcome;
}

interface Refusing {
  readonly kind: 'refused';
  readonly refusal: Refusal;
}

/** What a query found; throws `Refused` for what it did not. */
export function found<Outcome extends { readonly kind: 'found' } | Refusing>(
  outcome: Outcome,
): Exclude<Outcome, Refusing> {
  if (outcome.kind === 'refused') throw new Refused(outcome.refusal);
  return outcome as Exclude<Outcome, Refusing>;
}
