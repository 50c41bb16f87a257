import {
  ConfigOffset, type ConfigPatch, type ConfigSpace, type Finding, findCapability, type Header, type LinkedCapability,
  ok, refuse, type Result, type Survey, walkExtendedCapabilities, walkStandardCapabilities,
} from '@cadastre/config-space';
import { CapabilityList } from './capability-list.js';
import { uselessness } from './cautions.js';
import { Digest } from './digest.js';
import { type DvsecRoomRow, knownDvsecRooms, roomsTold } from './dvsec-room.js';
import { type Evidence } from './evidence.js';
import { matches } from './function-match.js';
import {
  type Ground, type PersonaPlaces, type PhysicalFunction, type PlacementPolicy, type TakenRange, type ToldRoom,
} from './ground.js';
import { type Layout, layoutDigest, type ListEntry, type Placement } from './layout.js';
import { applyOperation, type LayoutOperation, type Lists } from './layout-operation.js';
import { obstacleTo, obstacleToOwn } from './obstacle.js';
import { choicesOf, findPlace, type Search, strategiesOf } from './place.js';
import { type QuirkRow, quirksOf } from './quirk-row.js';
import { type BrokenList, breaksTheList, type LayoutRefusal } from './refusal.js';
import {
  capabilityDwords, syntheticCapabilities, syntheticCapability, type SyntheticName, type SyntheticRegisters,
} from './synthetic-capability.js';
import { headerAsBound, idPatches, vfIdsOf } from './vfio-function.js';

/**
 * Name and version of the rules below, recorded with every decision. Append-only once released: another rule is
 * another planner.
 */
export const plannerVersion = 'planner/1';

/** Standard capability ID of PCI Express. */
const expressId = 0x10;

/** One capability to show, with the values of its fields. */
export interface WantedCapability {
  readonly name: SyntheticName;
  readonly registers: SyntheticRegisters;
}

export interface LayoutRequest {
  readonly survey: Survey;
  /** Null unless the function is a VF. */
  readonly physicalFunction: PhysicalFunction | null;
  readonly wanted: readonly WantedCapability[];
  readonly policy: PlacementPolicy;
  /**
   * What an earlier layout of the same device has: a guest may have cached these offsets, so they are kept or the
   * request is refused. One that is no longer wanted keeps its bytes, and is not linked.
   */
  readonly decided?: readonly Placement[];
  readonly operations?: readonly LayoutOperation[];
  readonly persona?: PersonaPlaces;
  /** What operators and plugins tell of; what the function's own DVSECs tell comes behind. */
  readonly told?: readonly ToldRoom[];
  /** The table of DVSECs that tell of room; `knownDvsecRooms` when it is left out. */
  readonly dvsecs?: readonly DvsecRoomRow[];
  /** The quirk table; rows about other functions are passed over. */
  readonly quirks?: readonly QuirkRow[];
  readonly evidence?: Evidence;
}

export interface PlannedLayout {
  readonly layout: Layout;
  readonly layoutDigest: Digest;
  readonly guestConfigSpace: ConfigSpace;
  readonly guestConfigSpaceDigest: Digest;
}

/** A layout while it is decided. */
interface Draft {
  readonly request: LayoutRequest;
  readonly lists: Lists;
  readonly quirks: readonly QuirkRow[];
  readonly told: readonly ToldRoom[];
  readonly taken: TakenRange[];
  readonly placements: Placement[];
  readonly patches: ConfigPatch[];
}

/**
 * Decides where each wanted capability goes and what the guest's config space then is. The original is not edited:
 * the layout is patches over it. Refuses, with every strategy tried, rather than place anything without proof.
 * Pure: the same request gives the same bytes and digests everywhere, in whatever order capabilities are wanted.
 */
export function planLayout(request: LayoutRequest): Result<PlannedLayout, LayoutRefusal> {
  const wanted = [...request.wanted].sort((a, b) => rankOf(a) - rankOf(b));
  const header = headerAsBound(request.survey.header, request.physicalFunction?.survey);
  const unfit = whyUnfit(request.survey, header, wanted, request.operations ?? []);
  if (unfit) return refuse(unfit);
  const first = planInOrder(request, wanted);
  if (first.ok || first.refusal.kind !== 'no-place' || wanted.length === 1) return first;
  // What is short fits into what a long one leaves over, and not the other way round.
  const again = planInOrder(request, [...wanted].sort((a, b) => lengthOf(b) - lengthOf(a)));
  return again.ok ? again : first;
}

/** Rows of the table of capabilities are only ever appended, so that PASID stays first whatever else is wanted. */
const ranks = Object.keys(syntheticCapabilities);

function rankOf({ name }: Pick<WantedCapability, 'name'>): number {
  return ranks.indexOf(name);
}

function lengthOf({ name }: WantedCapability): number {
  return syntheticCapability(name).lengthBytes;
}

function planInOrder(
  request: LayoutRequest, wanted: readonly WantedCapability[],
): Result<PlannedLayout, LayoutRefusal> {
  const { survey, decided = [] } = request;
  const family = request.physicalFunction?.survey;
  const draft: Draft = {
    request, taken: [], placements: [], patches: [...idPatches(survey, vfIdsOf(family))],
    lists: { standard: CapabilityList.of(survey, 'standard'), extended: CapabilityList.of(survey, 'extended') },
    quirks: quirksOf(headerAsBound(survey.header, family), request.quirks ?? []),
    told: [...request.told ?? [], ...roomsTold(survey, request.dvsecs ?? knownDvsecRooms)],
  };
  const impossible = operate(draft);
  if (impossible) return refuse(impossible);
  // Whatever is new goes around what a guest has seen, wanted or not.
  for (const { name, offset, length } of decided) draft.taken.push({ offset, length, by: name.toUpperCase() });
  const isKept = ({ name }: WantedCapability): boolean => decided.some((one) => one.name === name);
  const refusal = placeAll(wanted.filter(isKept), 0, draft)
    ?? placeInPasses(wanted.filter((one) => !isKept(one)), draft);
  return refusal ? refuse(refusal) : ok(finish(draft));
}

/** Who has the fewest places to choose from goes first: what could go anywhere takes nothing from it. */
function placeInPasses(wanted: readonly WantedCapability[], draft: Draft): LayoutRefusal | undefined {
  const turns = new Set<number>([Infinity]);
  for (const { name } of wanted.length > 1 ? wanted : []) {
    const ground = groundFor(name, draft);
    for (const strategy of strategiesOf(name, draft.request.policy)) {
      turns.add(choicesOf(strategy, name, syntheticCapability(name), ground));
    }
  }
  for (const most of [...turns].sort((a, b) => (a < b ? -1 : 1))) {
    if (most === 0) continue;
    const refusal = placeAll(wanted, most, draft);
    if (refusal) return refusal;
  }
  return undefined;
}

function placeAll(wanted: readonly WantedCapability[], most: number, draft: Draft): LayoutRefusal | undefined {
  for (const one of wanted) {
    const refusal = draft.placements.some(({ name }) => name === one.name) ? undefined : place(one, most, draft);
    if (refusal) return refusal;
  }
  return undefined;
}

/** Hides, replaces and scrubs before anything is placed. */
function operate({ request, lists, patches, taken }: Draft): LayoutRefusal | undefined {
  for (const [index, operation] of (request.operations ?? []).entries()) {
    const applied = applyOperation(operation, request.survey, lists);
    if (!applied.ok) return { kind: 'operation-impossible', index, operation, because: applied.refusal };
    patches.push(...applied.value);
    const by = `operation ${index}`;
    for (const { offset } of applied.value) taken.push({ offset, length: 4, by, isOperation: true });
  }
  return undefined;
}

function groundFor(name: SyntheticName, { request, lists, taken, quirks, told }: Draft): Ground {
  const { survey, physicalFunction, policy, persona = null, evidence = null } = request;
  const { space } = syntheticCapability(name);
  return {
    space, survey, physicalFunction, policy, taken, list: lists[space], persona, told, quirks, evidence,
    hasExpress: lists.standard.entries.some((entry) => entry.id === expressId),
  };
}

/** Places one capability and links it, unless its turn is still to come. Answers why it could not. */
function place({ name, registers }: WantedCapability, most: number, draft: Draft): LayoutRefusal | undefined {
  const { request, lists, taken, placements, patches } = draft;
  const capability = syntheticCapability(name);
  const { space, id, lengthBytes: length } = capability;
  const ground = groundFor(name, draft);
  const before = request.decided?.find((one) => one.name === name);
  const { place: found, refused, isOpen } = before ? keptPlace(before, ground)
    : findPlace(name, capability, ground, most);
  if (!found) return isOpen ? undefined : { kind: 'no-place', name, length, refused };
  const offset = ConfigOffset.from(found.offset);
  if (!offset.ok) throw new RangeError(`a verified place is at ${found.offset}: ${offset.refusal.limit}`);
  const own = lists[space].entries.find((entry) => entry.offset === found.offset && entry.origin === 'physical');
  // The header of the hardware's own capability stays as it is, with whatever version it has.
  const version = own?.version ?? capability.version;
  const cautions = [...found.cautions, ...uselessness(name, ground)];
  const placement = {
    name, space, id, version, length, ...found, offset: offset.value, cautions, refused, registers };
  placements.push(placement);
  taken.push({ offset: found.offset, length, by: name.toUpperCase() });
  patches.push(...bodyPatches(placement));
  if (!own) lists[space].link({ offset: found.offset, id, version, origin: 'synthetic' });
  return undefined;
}

/** A guest may have cached the place: it is as it was decided, or nothing is. */
function keptPlace(before: Placement, ground: Ground): Search {
  const { offset, length, strategy, reason, cautions, refused, id } = before;
  const others = ground.taken.filter((one) => one.offset !== offset || one.length !== length);
  const own = ground.list.lists(offset)
    ? ground.survey.capabilities.find((one) =>
      one.space === ground.space && one.offset === offset && one.id === id)
    : undefined;
  const listed = findCapability(ground.survey, ground.space, id);
  const isShadowed = syntheticCapability(before.name).sharesId !== true && listed !== undefined
    && listed.offset !== offset && ground.list.lists(listed.offset);
  const free = { ...ground, taken: others };
  const because = isShadowed ? { kind: 'listed-already', offset: listed.offset } as const
    : own ? obstacleToOwn(own, length, free) : obstacleTo({ offset, length }, free);
  if (because) return { place: undefined, refused: [...refused, { strategy, because }] };
  return { place: { offset, strategy, reason, cautions: cautions.filter(isAboutThePlace) }, refused };
}

/** Cautions about a capability as such are told anew with every plan. */
function isAboutThePlace({ kind }: Placement['cautions'][number]): boolean {
  return kind !== 'nothing-behind-it' && kind !== 'ignored-by-guests' && kind !== 'ids-not-known';
}

function whyUnfit(
  { space, findings }: Survey, header: Header, wanted: readonly WantedCapability[],
  operations: readonly LayoutOperation[],
): LayoutRefusal | undefined {
  const { capturedBytes, size: sizeBytes } = space;
  if (!space.isWhole) return { kind: 'space-not-whole', capturedBytes, sizeBytes };
  if (findings.some((one) => one.kind === 'all-ones' && one.offset === 0)) return { kind: 'function-gone' };
  const names = wanted.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) return { kind: 'capability-wanted-twice', name: twice };
  const foreign = names.find((name) => {
    const { only } = syntheticCapability(name);
    return only && !matches(only, header);
  });
  if (foreign) {
    const { vendorId, deviceId, classCode } = header;
    return { kind: 'capability-not-for-function', name: foreign, vendorId, deviceId, classCode };
  }
  const spaces = names.map((name) => syntheticCapability(name).space);
  // What links into a list and what unlinks from it needs one that ends.
  const linked = [...spaces, ...operations.flatMap((one) => (one.kind === 'hide-capability' ? [one.space] : []))];
  if (linked.includes('standard')) {
    const standard = brokenList(findings, 'standard');
    if (standard) return { kind: 'standard-list-broken', finding: standard };
  }
  if (!spaces.includes('extended')) {
    const broken = linked.includes('extended') ? brokenList(findings, 'extended') : undefined;
    return broken && { kind: 'extended-list-broken', finding: broken };
  }
  if (!space.hasExtendedSpace) return { kind: 'no-extended-space', sizeBytes };
  if (findings.some((one) => one.kind === 'extended-space-all-ones')) return { kind: 'extended-space-unreadable' };
  const broken = brokenList(findings, 'extended');
  return broken && { kind: 'extended-list-broken', finding: broken };
}

function brokenList(findings: readonly Finding[], space: BrokenList['space']): BrokenList | undefined {
  const kinds: readonly Finding['kind'][] = breaksTheList;
  return findings.find((one): one is BrokenList =>
    kinds.includes(one.kind) && 'space' in one && one.space === space);
}

function finish({ request, lists, quirks, told, placements: placed, patches: bodies }: Draft): PlannedLayout {
  const { survey, operations = [], evidence } = request;
  const placements = [...placed].sort((a, b) => rankOf(a) - rankOf(b));
  const patches = merged([...bodies, ...lists.standard.headerPatches(), ...lists.extended.headerPatches()]);
  const layout: Layout = {
    planner: plannerVersion, placements, patches, operations, relocations: [],
    evidence: {
      captures: evidence?.named ?? [], looked: evidence?.looked ?? 0, quirks: quirks.map(({ name }) => name),
      told: told.map(({ by, source }) => ({ by, source })),
    },
    standardList: [...lists.standard.entries], extendedList: [...lists.extended.entries],
  };
  const guestConfigSpace = survey.space.patched(patches);
  assertAsPlanned(guestConfigSpace, survey, layout);
  return {
    layout,
    layoutDigest: layoutDigest(layout),
    guestConfigSpace,
    guestConfigSpaceDigest: Digest.ofSpace(guestConfigSpace),
  };
}

/** The body, and of a standard capability the half of the first DWORD that is behind its header. */
function bodyPatches({ name, space, offset, registers }: Placement): readonly ConfigPatch[] {
  const patches: ConfigPatch[] = [];
  for (const [index, value] of capabilityDwords(syntheticCapability(name), registers).entries()) {
    if (index === 0 && space === 'extended') continue;
    const at = ConfigOffset.from(offset + 4 * index);
    if (!at.ok) throw new RangeError(`${name} at ${offset} runs out of config space`);
    patches.push({ offset: at.value, mask: index === 0 ? 0xffff0000 : 0xffffffff, value });
  }
  return patches;
}

/** One patch for each DWORD, in offset order; of two that meet, the later one wins. */
function merged(patches: readonly ConfigPatch[]): readonly ConfigPatch[] {
  const byOffset = new Map<number, ConfigPatch>();
  for (const { offset, mask, value } of patches) {
    const before = byOffset.get(offset);
    const kept = before ? before.value & ~mask : 0;
    byOffset.set(offset, {
      offset, mask: ((before?.mask ?? 0) | mask) >>> 0, value: (kept | (value & mask)) >>> 0,
    });
  }
  return [...byOffset.values()].sort((a, b) => a.offset - b.offset);
}

/** Walks the result as a guest will: it must meet exactly the lists we meant. */
function assertAsPlanned(guest: ConfigSpace, { header }: Survey, layout: Layout): void {
  const announced = { ...header, status: guest.u16(0x06) };
  assertSame(walkStandardCapabilities(guest, announced, []), layout.standardList);
  assertSame(walkExtendedCapabilities(guest, []), layout.extendedList);
}

function assertSame(walked: readonly LinkedCapability[], meant: readonly ListEntry[]): void {
  const same = walked.length === meant.length && walked.every(({ offset, id, version }, index) => {
    const entry = meant[index];
    return entry?.offset === offset && entry.id === id && entry.version === version;
  });
  if (!same) {
    const shown = walked.map((one) => one.offset.toString(16)).join(' ');
    throw new Error(`the planned list does not read back: ${shown}`);
  }
}
