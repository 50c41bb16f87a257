import {
  ByteRange, type Capability, findCapability, occupiedEnd, type UnlinkedCapability,
} from '@cadastre/config-space';
import { type Ground } from './ground.js';
import { type Caution } from './refusal.js';

/** Standard capability ID of PCI Express. */
const expressId = 0x10;

/** The bytes right behind a capability often are registers that belong to it (reading F8). */
const guardBytes = 8;

/** Everything a careful operator wants to know of a place: the function as a whole, then the neighbours. */
export function cautionsAt(range: ByteRange, ground: Ground): readonly Caution[] {
  const cautions: Caution[] = [];
  if (!ground.survey.capabilities.some((one) => one.space === 'extended')) cautions.push({ kind: 'no-extended-list' });
  if (!findCapability(ground.survey, 'standard', expressId)) cautions.push({ kind: 'no-express-capability' });
  const family = ground.physicalFunction;
  if (family && !family.survey) cautions.push({ kind: 'physical-function-not-seen', pf: family.address });
  return [...cautions, ...neighbourCautions(range, ground)];
}

/** The cautions that another place in the same function might not have. */
export function neighbourCautions(range: ByteRange, ground: Ground): readonly Caution[] {
  const cautions: Caution[] = [];
  const guard = (one: Capability | UnlinkedCapability): void => {
    const end = occupiedEnd(one);
    if (ByteRange.overlaps({ offset: end, length: guardBytes }, range)) {
      cautions.push({ kind: 'right-behind-capability', name: one.row.name, end });
    }
  };
  for (const one of ground.survey.capabilities) if (one.space === 'extended') guard(one);
  for (const one of ground.survey.unlinked) {
    if (one.strong) guard(one);
    else if (ByteRange.overlaps(one, range)) {
      cautions.push({ kind: 'inside-weak-header', id: one.id, offset: one.offset, length: one.length });
    }
  }
  return cautions;
}
