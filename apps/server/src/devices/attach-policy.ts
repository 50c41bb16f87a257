import { type PlacementPolicy, strategiesFor, type SyntheticName } from '@cadastre/device-layout';
import { EdgeProblem } from '../problems/edge-problem.js';
import { offsetNumber } from '../http/validation.js';
import { type PolicyDto } from './attach-device.dto.js';

const pinnable = ['pasid', 'pri', 'ats', 'acs'] as const satisfies readonly SyntheticName[];

/**
 * The policy of a request. An operator who pins an offset wants that one or an error, so with every capability pinned
 * no other strategy is meant; naming strategies overrules this.
 */
export function policyOf(given: PolicyDto | null | undefined, wanted: readonly SyntheticName[]): PlacementPolicy {
  const pinned: Partial<Record<SyntheticName, number>> = {};
  for (const name of pinnable) {
    const offset = given?.pinned?.[name] ?? null;
    if (offset !== null) pinned[name] = offsetNumber(offset);
  }
  const isPinned = Object.keys(pinned).length > 0;
  if (isPinned && given?.strategies && !given.strategies.includes('pinned')) {
    throw EdgeProblem.field('/policy/strategies', given.strategies, 'strategies with "pinned" among them',
      'an offset is pinned, and no strategy looks at it');
  }
  const tried = given?.strategies ? { strategies: given.strategies } : strategiesFor(pinned, wanted);
  const allowedRanges = (given?.allowedRanges ?? []).map(({ offset, length }) =>
    ({ offset: offsetNumber(offset), length: offsetNumber(length) }));
  return { ...tried, pinned, allowedRanges, forbiddenRanges: [] };
}
