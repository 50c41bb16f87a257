import {
  ByteRange, type Capability, occupiedEnd, type Survey, type UnlinkedCapability,
} from '@cadastre/config-space';
import { type Ground } from './ground.js';
import { type Caution } from './refusal.js';
import { syntheticCapability, type SyntheticName } from './synthetic-capability.js';
import { hidesIds, vfIdsOf } from './vfio-function.js';

/**
 * Distance kept behind a capability while there is another place: the bytes right behind one often are registers that
 * belong to it (reading F8). One whose length nobody knows holds everything up to the next start in the first place.
 */
export const guardDistanceBytes = 8;

/** Everything a careful operator wants to know of a place: the function as a whole, then the neighbours. */
export function cautionsAt(range: ByteRange, ground: Ground): readonly Caution[] {
  const cautions: Caution[] = [];
  if (ground.space === 'extended') {
    const { survey } = ground;
    if (!survey.capabilities.some((one) => one.space === 'extended')) cautions.push({ kind: 'no-extended-list' });
    if (!ground.hasExpress) cautions.push({ kind: 'no-express-capability' });
  }
  const family = ground.physicalFunction;
  if (family && !family.survey) cautions.push({ kind: 'physical-function-not-seen', pf: family.address });
  return [...cautions, ...neighbourCautions(range, ground)];
}

/** The cautions that another place in the same function might not have. */
export function neighbourCautions(range: ByteRange, ground: Ground): readonly Caution[] {
  const cautions: Caution[] = [];
  const guard = (one: Capability | UnlinkedCapability): void => {
    const end = occupiedEnd(one);
    if (ByteRange.overlaps({ offset: end, length: guardDistanceBytes }, range)) {
      cautions.push({ kind: 'right-behind-capability', name: one.row.name, end });
    }
  };
  for (const one of ground.survey.capabilities) if (one.space === ground.space) guard(one);
  for (const { name: row, source, doubtful = [] } of ground.quirks) {
    const doubt = doubtful.find((one) => ByteRange.overlaps(one, range));
    if (doubt) cautions.push({ kind: 'inside-doubtful-range', row, ...doubt, source });
  }
  if (ground.space === 'standard') return cautions;
  for (const one of ground.survey.unlinked) {
    if (one.strong) guard(one);
    else if (ByteRange.overlaps(one, range)) {
      cautions.push({ kind: 'inside-weak-header', id: one.id, offset: one.offset, length: one.length });
    }
  }
  return cautions;
}

/** What a careful operator wants to know of a capability in a function, wherever it is placed. */
export function uselessness(name: SyntheticName, ground: Ground): readonly Caution[] {
  const cautions: Caution[] = [];
  const { id, space, needsHardware } = syntheticCapability(name);
  const inHardware = (survey: Survey | null | undefined): boolean =>
    survey?.capabilities.some((one) => one.space === space && one.id === id) === true;
  if (needsHardware && !inHardware(ground.survey) && !inHardware(ground.physicalFunction?.survey)) {
    cautions.push({ kind: 'nothing-behind-it', id });
  }
  const { survey: { header }, physicalFunction } = ground;
  if (hidesIds(header) && !vfIdsOf(physicalFunction?.survey)) {
    cautions.push({ kind: 'ids-not-known', vendorId: header.subsystemVendorId });
  }
  for (const { name: row, source, ignoredByGuests = [] } of ground.quirks) {
    if (ignoredByGuests.includes(name)) cautions.push({ kind: 'ignored-by-guests', row, source });
  }
  return cautions;
}
