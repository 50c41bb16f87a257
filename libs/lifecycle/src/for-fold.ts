/**
 * Types of which a fold asks only that they happened; what they say is for who audits. Most events of a ledger are
 * looks that found nothing new, and reading one takes longer than all else that a fold does with it.
 */
export const typesOfBareEvents = [
  'ObservationConfirmed', 'FunctionReleased', 'PasidOperationFailed', 'PasidsDetached', 'AtsEnabled', 'AtsDisabled',
  'PriDisabled', 'MigrationPrepared', 'MigrationCompleted', 'VmReleased',
] as const;
type BareType = (typeof typesOfBareEvents)[number];

/** An event as `evolve` takes it: of the types above it cannot read what it may not be told. */
export type ForFold<Event extends { readonly type: string; readonly schema: number }> =
  Event extends { readonly type: BareType } ? Pick<Event, 'type' | 'schema'> : Event;
