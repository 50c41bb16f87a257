import {
  ByteRange, type CapabilitySpace, type ConfigSpace, type LinkedCapability, type Survey,
} from '@cadastre/config-space';
import { type Confidence, type GuestPrediction, type KnobsAnswer, type RuleName } from '@cadastre/vmm-profiles';
import { hexOf, unlikeRuns } from './compare-layouts.js';
import { type Placement } from './layout.js';
import { identityBytes, type LayoutOperation } from './layout-operation.js';
import { type PlannedLayout } from './plan-layout.js';
import { syntheticCapability, writableBits } from './synthetic-capability.js';

/** Something of the layout that the guest will not find as it was decided, and what it finds instead. */
export interface Unmet {
  readonly kind: 'not-made' | 'bytes-differ' | 'shown-unasked' | 'operation-not-obeyed' | 'does-not-start';
  readonly offset: number | null;
  /** Where the guest finds the capability instead; null where it finds none. */
  readonly insteadOffset: number | null;
  readonly rule: RuleName | null;
  readonly confidence: Confidence;
  readonly says: string;
}

/** A capability of the hardware that no setting shows the guest. */
export interface HiddenByVmm {
  readonly space: CapabilitySpace;
  readonly id: number;
  readonly offset: number;
}

/** Everything in which the guest's view is not the layout. */
export function unmetBy(
  seen: GuestPrediction, answer: KnobsAnswer, planned: PlannedLayout, survey: Survey,
): readonly Unmet[] {
  const { outcome, space } = seen;
  if (outcome.kind !== 'starts') {
    const { rule, confidence, says } = outcome;
    return [{ kind: 'does-not-start', offset: null, insteadOffset: null, rule, confidence, says }];
  }
  if (!space) throw new Error(`${seen.profile.name} starts and shows nothing`);
  const { placements, operations } = planned.layout;
  const unmet = placements.flatMap((one) => unmetPlacement(one, seen, space, answer, planned.guestConfigSpace));
  const isTold = ({ offset }: Unmet): boolean => unmet.some(({ insteadOffset }) => insteadOffset === offset);
  return [
    ...unmet,
    ...operations.flatMap((one) => unmetOperation(one, space, planned.guestConfigSpace)),
    ...shownUnasked(seen, planned, survey).filter((one) => !isTold(one)),
  ];
}

function unmetPlacement(
  placement: Placement, seen: GuestPrediction, space: ConfigSpace, answer: KnobsAnswer, meant: ConfigSpace,
): readonly Unmet[] {
  const { name, offset, id } = placement;
  const there = seen.chain[placement.space].some((one) => one.offset === offset && one.id === id);
  if (!there) {
    const told = answer.unmet.find(({ wanted }) => wanted.id === id && wanted.offset === offset);
    const instead = told?.insteadOffset ?? elsewhere(placement, seen.chain[placement.space]);
    return [{ kind: 'not-made', offset, insteadOffset: instead, rule: told?.rule ?? null,
      confidence: told?.confidence ?? 'V', says: `${name}: ${told?.says ?? 'the guest does not find it there'}` }];
  }
  return unlikeRuns(placement, (at) => isTheGuests(placement, at) || space.u8(at) === meant.u8(at))
    .map((run) => ({
      kind: 'bytes-differ' as const, offset: run.offset, insteadOffset: null, ...ruleAt(run.offset, seen),
      says: `${name}: ${hexOf(run.offset, run.length, (at) => space.u8(at))} instead of `
        + hexOf(run.offset, run.length, (at) => meant.u8(at)),
    }));
}

/** Only a capability whose ID is its own can be found again. */
function elsewhere({ name, id }: Placement, chain: readonly LinkedCapability[]): number | null {
  if (syntheticCapability(name).sharesId) return null;
  return chain.find((one) => one.id === id)?.offset ?? null;
}

/** Next pointers belong to the list, and a guest writes what it may write. */
function isTheGuests({ name, space, offset, registers }: Placement, at: number): boolean {
  const inside = at - offset;
  if (space === 'standard' ? inside === 1 : inside === 3) return true;
  if (space === 'extended' && inside === 2) return true;
  return writableBits(syntheticCapability(name), registers).some(({ offset: dword, mask }) =>
    inside >= dword && inside < dword + 4 && ((mask >>> (8 * (inside - dword))) & 0xff) !== 0);
}

function unmetOperation(operation: LayoutOperation, space: ConfigSpace, meant: ConfigSpace): readonly Unmet[] {
  const bytes = bytesOf(operation).filter((at) => at < space.size);
  const wrong = bytes.find((at) => space.u8(at) !== meant.u8(at));
  if (wrong === undefined) return [];
  return [{ kind: 'operation-not-obeyed', offset: wrong, insteadOffset: null, rule: null, confidence: 'V',
    says: `${operation.kind}: the guest reads ${hexOf(wrong, 1, (at) => space.u8(at))}` }];
}

/** The bytes an operation decides. What it hides is found missing in the list. */
function bytesOf(operation: LayoutOperation): readonly number[] {
  switch (operation.kind) {
    case 'hide-capability': return [];
    case 'replace-identity': return identityBytes(operation.field);
    case 'replace-register': return [0, 1, 2, 3].map((byte) => operation.offset + byte);
    case 'scrub': return Array.from({ length: operation.length }, (_, index) => operation.offset + index);
  }
}

/** Capabilities a guest finds that the layout does not have: made unasked, or not hidden. */
function shownUnasked(seen: GuestPrediction, { layout }: PlannedLayout, { capabilities }: Survey): readonly Unmet[] {
  return (['standard', 'extended'] as const).flatMap((space) => {
    const meant = space === 'standard' ? layout.standardList : layout.extendedList;
    return seen.chain[space].filter(({ id, offset }) => !isPlaceholder(space, id, offset)
      && !meant.some((one) => one.offset === offset && one.id === id)).map(({ id, offset }): Unmet => {
      const isHardware = capabilities.some((one) => one.space === space && one.offset === offset && one.id === id);
      return {
        kind: 'shown-unasked', offset, insteadOffset: null, ...ruleAt(offset, seen),
        says: `ID 0x${id.toString(16)} is ${isHardware ? 'shown, though the layout hides it' : 'made unasked'}`,
      };
    });
  });
}

/** What VMMs leave where a capability was: K12, Q10, C6, O2, X4. */
function isPlaceholder(space: CapabilitySpace, id: number, offset: number): boolean {
  return space === 'extended' && (id === 0 || (id === 0x0c && offset === 0x100));
}

/** Capabilities of the hardware in the layout that neither the kernel nor the VMM shows. */
export function hiddenBy(seen: GuestPrediction, { layout }: PlannedLayout): readonly HiddenByVmm[] {
  if (seen.space === null) return [];
  return (['standard', 'extended'] as const).flatMap((space) => {
    const meant = space === 'standard' ? layout.standardList : layout.extendedList;
    return meant.filter(({ origin, offset, id }) => origin === 'physical'
      && !seen.chain[space].some((one) => one.offset === offset && one.id === id)
      && !layout.placements.some((one) => one.offset === offset))
      .map(({ id, offset }) => ({ space, id, offset }));
  });
}

/** The last rule that wrote a byte, and how sure it is. */
function ruleAt(at: number, { ruled, findings }: GuestPrediction): Pick<Unmet, 'rule' | 'confidence'> {
  const rule = ruled.findLast((one) => ByteRange.contains(one, { offset: at, length: 1 }))?.rule ?? null;
  return { rule, confidence: findings.find((one) => one.rule === rule)?.confidence ?? 'V' };
}
