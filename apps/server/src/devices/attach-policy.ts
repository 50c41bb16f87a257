import { defaultStrategies, type PlacementPolicy } from '@cadastre/device-layout';
import { EdgeProblem } from '../problems/edge-problem.js';
import { offsetNumber } from '../http/validation.js';
import { type PolicyDto } from './attach-device.dto.js';

/**
 * The policy of a request. An operator who pins an offset wants that one or an error, so a pinned offset alone means
 * no other strategy; naming strategies overrules this.
 */
export function policyOf(given: PolicyDto | null | undefined): PlacementPolicy {
  const pasid = given?.pinned?.pasid ?? null;
  const pinned = pasid === null ? {} : { pasid: offsetNumber(pasid) };
  if (pasid !== null && given?.strategies && !given.strategies.includes('pinned')) {
    throw EdgeProblem.field('/policy/strategies', given.strategies, 'strategies with "pinned" among them',
      'an offset is pinned, and no strategy looks at it');
  }
  const strategies = given?.strategies ?? (pasid === null ? defaultStrategies : ['pinned'] as const);
  const allowedRanges = (given?.allowedRanges ?? []).map(({ offset, length }) =>
    ({ offset: offsetNumber(offset), length: offsetNumber(length) }));
  return { strategies, pinned, allowedRanges, forbiddenRanges: [] };
}
