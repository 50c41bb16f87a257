import { type LedgerEvent } from '../event-codec.js';
import { type FunctionEvent } from './function-events.js';
import { Observation } from './observation.js';

export type HostFactsObserved = Extract<FunctionEvent, { type: 'HostFactsObserved' }>;

/**
 * The whole observation that host facts are a part of; undefined when the event that should hold its bytes does not.
 * @param captured the event at `configSpaceRevision` of the same stream
 */
export function observedAgain(told: HostFactsObserved, captured: LedgerEvent | undefined): Observation | undefined {
  if (captured?.type !== 'FunctionObserved' || captured.configSpaceDigest !== told.configSpaceDigest) return undefined;
  return Observation.under(told, captured);
}
