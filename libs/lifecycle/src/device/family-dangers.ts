import { type Capability, findCapability, survey, type Survey } from '@cadastre/config-space';
import {
  isWeaker, type Placement, promisedFields, readPromise, type VerdictReason, vfIdsOf,
} from '@cadastre/device-layout';
import { sharedCapabilities } from '../function/function-events.js';
import { Observation } from '../function/observation.js';
import { type DecidedLayout } from './device-events.js';

/** What a VF's physical function told when a layout of the VF was decided, and what it tells now. */
export interface FamilyTold {
  readonly then: Observation;
  readonly now: Observation;
}

/**
 * What a changed PF means for a guest on its VF. A VF has its IDs from the PF, and no PASID and no PRI but those of the
 * PF: what its guest was promised of them has to be there still. What the PF did not tell then was no promise, and a
 * look that did not capture all of it tells of nothing that is gone.
 * @param stoodOn the observation of the VF the layout was decided over
 */
export function familyDangers(
  layout: DecidedLayout, stoodOn: Observation, told: FamilyTold,
): readonly VerdictReason[] {
  const own = survey(Observation.configSpace(stoodOn), stoodOn.sriov.role);
  const then = survey(Observation.configSpace(told.then), 'pf');
  const now = survey(Observation.configSpace(told.now), 'pf');
  if (!now.space.isWhole) return [];
  const isLent = ({ name, space, id }: Placement): boolean =>
    (sharedCapabilities as readonly string[]).includes(name) && !findCapability(own, space, id);
  return [
    ...identityDangers(layout, then, now),
    ...layout.placements.filter(isLent).flatMap((one) => {
      const was = findCapability(then, one.space, one.id);
      return was ? lentDangers(one, { survey: then, capability: was }, now) : [];
    }),
  ];
}

/** A guest that wears a persona reads the persona's device ID, but the vendor's is as it is bound. */
function identityDangers({ persona }: DecidedLayout, then: Survey, now: Survey): readonly VerdictReason[] {
  const [was, is] = [vfIdsOf(then), vfIdsOf(now)];
  const fields = persona ? ['vendorId'] as const : ['vendorId', 'deviceId'] as const;
  return fields.filter((field) => was && was[field] !== is?.[field]).map((field) =>
    ({ kind: 'identity-differs', field, layout: was?.[field] ?? null, destination: is?.[field] ?? null }));
}

interface Lent {
  readonly survey: Survey;
  readonly capability: Capability;
}

/** A placed capability whose work the PF's own does. */
function lentDangers(
  { space, id, name, offset, strategy, registers }: Placement, was: Lent, now: Survey,
): readonly VerdictReason[] {
  const is = findCapability(now, space, id);
  if (!is) return [{ kind: 'capability-missing', space, id, name, offset }];
  const moved: readonly VerdictReason[] = strategy === 'physical' && was.capability.offset !== is.offset
    ? [{ kind: 'offset-would-move', space, id, name, layout: offset, destination: is.offset }] : [];
  const length = Math.min(was.capability.length, is.length);
  const weaker = promisedFields(space, id, length).flatMap((field): readonly VerdictReason[] => {
    const promise = registers[field.name] ?? 0;
    const had = readPromise(was.survey.space, was.capability.offset, field);
    const has = readPromise(now.space, is.offset, field);
    // What the PF never had, it has not lost.
    if (!isWeaker(field, promise, has) || !isWeaker(field, had, has)) return [];
    const named = `${field.name} of the physical function`;
    return [{ kind: 'register-weaker', space, id, name, offset, field: named, layout: promise, destination: has }];
  });
  return [...moved, ...weaker];
}
