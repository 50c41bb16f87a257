import { type ByteRange, type Capability, extendedSpaceAt, findCapability, type Survey } from '@cadastre/config-space';
import { cautionsAt, neighbourCautions } from './cautions.js';
import { type Ground } from './ground.js';
import { type PlacementReason } from './layout.js';
import { behind, listedTwice, obstacleTo, obstacleToOwn } from './obstacle.js';
import { type Because, type Caution, type RefusedAlternative, type Strategy } from './refusal.js';
import { type SyntheticCapability, type SyntheticName } from './synthetic-capability.js';

export interface Place {
  readonly offset: number;
  readonly strategy: Strategy;
  readonly reason: PlacementReason;
  readonly cautions: readonly Caution[];
}

/** A strategy's answer: a place, or why not; `passedOver` are the places it looked at first. */
interface Answer {
  readonly place: Place | undefined;
  readonly passedOver: readonly Because[];
}

/** Gaps told one by one in a decision; more are counted. Real lists leave fewer. */
const passedOverMax = 16;

/** Tries the strategies in their order. Refused alternatives come back in the order they were tried. */
export function findPlace(
  name: SyntheticName, capability: SyntheticCapability, ground: Ground,
): { readonly place: Place | undefined; readonly refused: readonly RefusedAlternative[] } {
  const refused: RefusedAlternative[] = [];
  for (const strategy of ground.policy.strategies) {
    const { place, passedOver } = tryStrategy(strategy, name, capability, ground);
    for (const because of passedOver) refused.push({ strategy, because });
    if (place) return { place, refused };
  }
  return { place: undefined, refused };
}

function tryStrategy(
  strategy: Strategy, name: SyntheticName, capability: SyntheticCapability, ground: Ground,
): Answer {
  switch (strategy) {
    case 'pinned': return pinned(ground.policy.pinned[name], capability, ground);
    case 'physical': return physical(capability, ground);
    case 'gap': return gap(capability, ground);
  }
}

function yes(place: Place, passedOver: readonly Because[] = []): Answer {
  return { place, passedOver };
}

function no(...passedOver: readonly Because[]): Answer {
  return { place: undefined, passedOver };
}

function pinned(offset: number | undefined, capability: SyntheticCapability, ground: Ground): Answer {
  if (offset === undefined) return no({ kind: 'no-offset-pinned' });
  const own = listed(ground.survey, capability);
  if (own && own.offset !== offset) return no({ kind: 'listed-already', offset: own.offset });
  const range = { offset, length: capability.lengthBytes };
  const because = own ? obstacleToOwn(own, capability.lengthBytes, ground) : obstacleTo(range, ground);
  if (because) return no(because);
  const cautions = own ? [] : cautionsAt(range, ground);
  return yes({ offset, strategy: 'pinned', reason: { kind: 'operator-pinned-it' }, cautions });
}

function physical(capability: SyntheticCapability, ground: Ground): Answer {
  const own = listed(ground.survey, capability);
  if (own) {
    const because = obstacleToOwn(own, capability.lengthBytes, ground);
    if (because) return no(because);
    return yes({ offset: own.offset, strategy: 'physical', reason: { kind: 'hardware-has-it-here' }, cautions: [] });
  }
  const family = ground.physicalFunction;
  if (!family) return no({ kind: 'not-in-hardware', id: capability.id });
  if (!family.survey || family.address === null) return no({ kind: 'physical-function-unknown', pf: family.address });
  const shared = listed(family.survey, capability);
  if (!shared) return no({ kind: 'not-in-hardware', id: capability.id });
  const range = { offset: shared.offset, length: capability.lengthBytes };
  const because = listedTwice(shared, family.survey) ?? obstacleTo(range, ground);
  if (because) return no(because);
  const reason = { kind: 'physical-function-has-it-here', pf: family.address } as const;
  return yes({ offset: shared.offset, strategy: 'physical', reason, cautions: cautionsAt(range, ground) });
}

/**
 * The lowest DWORD-aligned run of proven-free bytes; one without cautions about its neighbours wins over a lower one
 * with them. Free means: no owner at all, so zero, captured, and in no structure linked or not.
 */
function gap(capability: SyntheticCapability, ground: Ground): Answer {
  const own = listed(ground.survey, capability);
  if (own) return no({ kind: 'listed-already', offset: own.offset });
  const passedOver: Because[] = [];
  let fallback: Place | undefined;
  for (const { offset, length } of ground.survey.gaps) {
    const end = offset + length;
    if (end <= extendedSpaceAt) continue;
    const from = Math.max(offset, extendedSpaceAt);
    const within = { offset: from, length: end - from };
    const { clean, cautioned, obstacle } = firstFit(within, capability.lengthBytes, ground);
    if (clean !== undefined) return yes(placeIn(within, clean, capability, ground), told(passedOver));
    if (cautioned !== undefined) fallback ??= placeIn(within, cautioned, capability, ground);
    else if (obstacle) passedOver.push(obstacle);
  }
  if (fallback) return yes(fallback, told(passedOver));
  return no(...told(passedOver), { kind: 'no-gap', needed: capability.lengthBytes });
}

function placeIn(within: ByteRange, offset: number, capability: SyntheticCapability, ground: Ground): Place {
  const reason = { kind: 'lowest-proven-gap', gapOffset: within.offset, gapLength: within.length } as const;
  return { offset, strategy: 'gap', reason, cautions: cautionsAt({ offset, length: capability.lengthBytes }, ground) };
}

function told(passedOver: readonly Because[]): readonly Because[] {
  const more = passedOver.length - passedOverMax;
  if (more <= 0) return passedOver;
  return [...passedOver.slice(0, passedOverMax), { kind: 'further-gaps', count: more }];
}

/** Looks upwards through one gap for the first place without obstacles, with and without cautions. */
function firstFit(
  within: ByteRange, length: number, ground: Ground,
): { readonly clean?: number; readonly cautioned?: number; readonly obstacle?: Because } {
  if (within.length < length) return { obstacle: { kind: 'gap-too-short', ...within, needed: length } };
  const end = within.offset + within.length;
  let cautioned: number | undefined;
  let first: Because | undefined;
  for (let offset = within.offset; offset + length <= end; ) {
    const because = obstacleTo({ offset, length }, ground);
    if (because) {
      first ??= because;
      offset = behind(because, offset);
    } else if (neighbourCautions({ offset, length }, ground).length > 0) {
      cautioned ??= offset;
      offset += 4;
    } else return { clean: offset };
  }
  if (cautioned !== undefined) return { cautioned };
  return first ? { obstacle: first } : {};
}

/** The capability of this kind that a guest walking the hardware's list meets first. */
function listed(survey: Survey, { id }: SyntheticCapability): Capability | undefined {
  return findCapability(survey, 'extended', id);
}
