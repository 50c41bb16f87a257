import {
  type ByteRange, type Capability, extendedSizeBytes, extendedSpaceAt, findCapability,
} from '@cadastre/config-space';
import { cautionsAt, neighbourCautions } from './cautions.js';
import { type Ground, type PlacementPolicy, type ToldRoom } from './ground.js';
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

/** What came of looking for a place: one, none, or that a strategy whose turn has not come may still find one. */
export interface Search {
  readonly place: Place | undefined;
  /** In the order they were tried. */
  readonly refused: readonly RefusedAlternative[];
  readonly isOpen?: true;
}

/**
 * Tries the strategies in their order. One with more than `choicesMost` places to choose from that would find one
 * waits for a later pass; one that finds none now will find none then, for room only ever gets less.
 */
export function findPlace(
  name: SyntheticName, capability: SyntheticCapability, ground: Ground, choicesMost = Infinity,
): Search {
  const refused: RefusedAlternative[] = [];
  const order = strategiesOf(name, ground.policy);
  for (const strategy of order) {
    const waits = choicesOf(strategy, name, capability, ground) > choicesMost;
    if (waits && strategy === order.at(-1)) return { place: undefined, refused, isOpen: true };
    const { place, passedOver } = tryStrategy(strategy, name, capability, ground);
    if (place && waits) return { place: undefined, refused, isOpen: true };
    for (const because of passedOver) refused.push({ strategy, because });
    if (place) return { place, refused };
  }
  return { place: undefined, refused };
}

/** The strategies of one capability, in the order of the policy. */
export function strategiesOf(
  name: SyntheticName, { strategies, pinned: pins, pinnedOrNowhere }: PlacementPolicy,
): readonly Strategy[] {
  return pinnedOrNowhere === true && pins[name] !== undefined ? ['pinned'] : strategies;
}

/** Room that names no capability is everybody's: whoever has room of its own goes first. */
const choicesInEverybodysRoom = extendedSizeBytes / 4;

/**
 * How many places a strategy has to choose from, 0 where it has nothing to say. Who has fewer goes first, so that
 * nothing that could go elsewhere takes the one place another is meant for. Of those with one place the operator's
 * word goes before a persona's, and that before the wish to resemble the hardware.
 */
export function choicesOf(
  strategy: Strategy, name: SyntheticName, capability: SyntheticCapability, ground: Ground,
): number {
  switch (strategy) {
    case 'pinned': return ground.policy.pinned[name] === undefined ? 0 : 1;
    case 'persona': return ground.persona?.places[name] === undefined ? 0 : 2;
    case 'physical': return ground.physicalFunction || listed(capability, ground) ? 3 : 0;
    case 'table': return offsetsIn(rowRooms(name, capability, ground), capability);
    case 'dvsec': {
      const rooms = toldRooms(name, ground);
      return offsetsIn(rooms, capability) + (rooms[0]?.name === null ? choicesInEverybodysRoom : 0);
    }
    case 'gap': return Infinity;
  }
}

/** More than a strategy with one place has. */
function offsetsIn(rooms: readonly { readonly range: ByteRange }[], { lengthBytes }: SyntheticCapability): number {
  if (rooms.length === 0) return 0;
  return rooms.reduce((sum, { range }) => sum + Math.max(0, Math.floor((range.length - lengthBytes) / 4) + 1), 3);
}

function tryStrategy(
  strategy: Strategy, name: SyntheticName, capability: SyntheticCapability, ground: Ground,
): Answer {
  switch (strategy) {
    case 'persona': return persona(name, capability, ground);
    case 'pinned': return pinned(ground.policy.pinned[name], capability, ground);
    case 'physical': return physical(capability, ground);
    case 'dvsec': return told(name, capability, ground);
    case 'table': return table(name, capability, ground);
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
  return exactly(offset, 'pinned', { kind: 'operator-pinned-it' }, capability, ground);
}

function persona(name: SyntheticName, capability: SyntheticCapability, ground: Ground): Answer {
  if (!ground.persona) return no({ kind: 'no-persona' });
  const { persona: named, places } = ground.persona;
  const offset = places[name];
  if (offset === undefined) return no({ kind: 'not-in-persona', persona: named });
  return exactly(offset, 'persona', { kind: 'persona-has-it-here', persona: named }, capability, ground);
}

/** One offset and no other: proven free, or the hardware's own. */
function exactly(
  offset: number, strategy: Strategy, reason: PlacementReason, capability: SyntheticCapability, ground: Ground,
): Answer {
  const own = listed(capability, ground);
  if (own && own.offset !== offset) return no({ kind: 'listed-already', offset: own.offset });
  const range = { offset, length: capability.lengthBytes };
  const because = own ? obstacleToOwn(own, capability.lengthBytes, ground) : obstacleTo(range, ground);
  if (because) return no(because);
  return yes({ offset, strategy, reason, cautions: own ? [] : cautionsAt(range, ground) });
}

function physical(capability: SyntheticCapability, ground: Ground): Answer {
  const own = listed(capability, ground);
  if (own) {
    const because = obstacleToOwn(own, capability.lengthBytes, ground);
    if (because) return no(because);
    return yes({ offset: own.offset, strategy: 'physical', reason: { kind: 'hardware-has-it-here' }, cautions: [] });
  }
  const family = ground.physicalFunction;
  if (!family || capability.sharesId) return no({ kind: 'not-in-hardware', id: capability.id });
  if (!family.survey || family.address === null) return no({ kind: 'physical-function-unknown', pf: family.address });
  const shared = findCapability(family.survey, capability.space, capability.id);
  if (!shared) return no({ kind: 'not-in-hardware', id: capability.id });
  const range = { offset: shared.offset, length: capability.lengthBytes };
  const because = listedTwice(shared, family.survey) ?? obstacleTo(range, ground);
  if (because) return no(because);
  const reason = { kind: 'physical-function-has-it-here', pf: family.address } as const;
  return yes({ offset: shared.offset, strategy: 'physical', reason, cautions: cautionsAt(range, ground) });
}

/** Room the device tells of is where to look, not a proof: a byte in use stays in use. */
function told(name: SyntheticName, capability: SyntheticCapability, ground: Ground): Answer {
  const rooms = toldRooms(name, ground);
  if (rooms.length === 0) return no({ kind: 'nothing-told' });
  return lowestOf(rooms.map(({ range, by, source }) => ({ range, reason: { kind: 'device-told-it', by, source } })),
    'dvsec', capability, ground);
}

/** Rooms told of for this capability, then those for any. */
function toldRooms(name: SyntheticName, { told: rooms }: Ground): readonly ToldRoom[] {
  if (rooms.length === 0) return rooms;
  return [...rooms.filter((one) => one.name === name), ...rooms.filter((one) => one.name === null)];
}

/** The places a capability may have at all, or those a row about this function names. */
function table(name: SyntheticName, capability: SyntheticCapability, ground: Ground): Answer {
  const rooms = rowRooms(name, capability, ground);
  return rooms.length === 0 ? no({ kind: 'no-row' }) : lowestOf(rooms, 'table', capability, ground);
}

function rowRooms(
  name: SyntheticName, { offsets, lengthBytes: length }: SyntheticCapability, ground: Ground,
): readonly Room[] {
  const rooms: Room[] = (offsets ?? []).map((offset) =>
    ({ range: { offset, length }, reason: { kind: 'its-place-is-fixed', offsets: offsets ?? [] } }));
  for (const { name: row, places } of ground.quirks) {
    const range = places?.[name];
    if (range) rooms.push({ range, reason: { kind: 'table-has-it-here', row } });
  }
  return rooms;
}

interface Room {
  readonly range: ByteRange;
  readonly reason: PlacementReason;
}

/** The first room that has a place: its lowest one, without cautions when it has one. */
function lowestOf(
  rooms: readonly Room[], strategy: Strategy, capability: SyntheticCapability, ground: Ground,
): Answer {
  const own = listed(capability, ground);
  if (own) return no({ kind: 'listed-already', offset: own.offset });
  const passedOver: Because[] = [];
  for (const { range, reason } of rooms) {
    const length = capability.lengthBytes;
    const { clean, cautioned, obstacle } = firstFit(range, length, ground);
    const offset = clean ?? cautioned;
    if (offset !== undefined) {
      const cautions = cautionsAt({ offset, length }, ground);
      return yes({ offset, strategy, reason, cautions }, shortened(passedOver));
    }
    if (obstacle) passedOver.push(obstacle);
  }
  return no(...shortened(passedOver));
}

/**
 * The lowest DWORD-aligned run of proven-free bytes; one without cautions about its neighbours wins over a lower one
 * with them. Free means: no owner at all, so zero, captured, and in no structure linked or not.
 */
function gap(capability: SyntheticCapability, ground: Ground): Answer {
  const own = listed(capability, ground);
  if (own) return no({ kind: 'listed-already', offset: own.offset });
  if (capability.offsets) return no({ kind: 'place-is-fixed', offsets: capability.offsets });
  const passedOver: Because[] = [];
  let fallback: Place | undefined;
  const [least, most] = ground.space === 'standard' ? [0, extendedSpaceAt] : [extendedSpaceAt, extendedSizeBytes];
  for (const { offset, length } of ground.survey.gaps) {
    const end = Math.min(offset + length, most);
    const from = Math.max(offset, least);
    if (end <= from) continue;
    const within = { offset: from, length: end - from };
    const { clean, cautioned, obstacle } = firstFit(within, capability.lengthBytes, ground);
    if (clean !== undefined) return yes(placeIn(within, clean, capability, ground), shortened(passedOver));
    if (cautioned !== undefined) fallback ??= placeIn(within, cautioned, capability, ground);
    else if (obstacle) passedOver.push(obstacle);
  }
  if (fallback) return yes(fallback, shortened(passedOver));
  return no(...shortened(passedOver), { kind: 'no-gap', needed: capability.lengthBytes });
}

function placeIn(within: ByteRange, offset: number, capability: SyntheticCapability, ground: Ground): Place {
  const reason = { kind: 'lowest-proven-gap', gapOffset: within.offset, gapLength: within.length } as const;
  return { offset, strategy: 'gap', reason, cautions: cautionsAt({ offset, length: capability.lengthBytes }, ground) };
}

function shortened(passedOver: readonly Because[]): readonly Because[] {
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

/** The capability of this kind that a guest walking the list meets first; a hidden one is none. */
function listed({ id, sharesId }: SyntheticCapability, { survey, space, list }: Ground): Capability | undefined {
  if (sharesId) return undefined;
  return survey.capabilities.find((one) => one.space === space && one.id === id && list.lists(one.offset));
}
