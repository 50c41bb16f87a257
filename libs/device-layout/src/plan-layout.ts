import {
  ConfigOffset, type ConfigPatch, type ConfigSpace, type Finding, ok, refuse, type Result, type Survey,
  walkExtendedCapabilities,
} from '@cadastre/config-space';
import { Digest } from './digest.js';
import { ExtendedList } from './extended-list.js';
import { type PhysicalFunction, type PlacementPolicy } from './ground.js';
import { type Layout, layoutDigest, type Placement } from './layout.js';
import { findPlace } from './place.js';
import { type BrokenList, breaksTheList, type LayoutRefusal } from './refusal.js';
import {
  bodyDwords, syntheticCapabilities, type SyntheticName, type SyntheticRegisters,
} from './synthetic-capability.js';

/**
 * Name and version of the rules below, recorded with every decision. Until the first release it is 0: the released
 * `planner/1` never changes again.
 */
export const plannerVersion = 'planner/0';

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
}

export interface PlannedLayout {
  readonly layout: Layout;
  readonly layoutDigest: Digest;
  readonly guestConfigSpace: ConfigSpace;
  readonly guestConfigSpaceDigest: Digest;
}

/**
 * Decides where each wanted capability goes and what the guest's config space then is. The original is not edited:
 * the layout is patches over it. Refuses, with every strategy tried, rather than place anything without proof.
 * Pure: the same request gives the same bytes and digests everywhere.
 */
export function planLayout(request: LayoutRequest): Result<PlannedLayout, LayoutRefusal> {
  const unfit = whyUnfit(request.survey, request.wanted);
  if (unfit) return refuse(unfit);
  const { survey, physicalFunction, policy } = request;
  const list = ExtendedList.of(survey);
  const placements: Placement[] = [];
  for (const { name, registers } of request.wanted) {
    const capability = syntheticCapabilities[name];
    const { place, refused } = findPlace(name, capability, {
      survey, physicalFunction, policy, placed: placements, list,
    });
    if (!place) return refuse({ kind: 'no-place', name, length: capability.lengthBytes, refused });
    const offset = ConfigOffset.from(place.offset);
    if (!offset.ok) throw new RangeError(`a verified place is at ${place.offset}: ${offset.refusal.limit}`);
    const { id, lengthBytes: length } = capability;
    const own = list.entries.find((entry) => entry.offset === place.offset);
    // The header of the hardware's own capability stays as it is, with whatever version it has.
    const version = own?.version ?? capability.version;
    placements.push({ name, id, version, length, ...place, offset: offset.value, refused, registers });
    if (!own) list.link({ offset: place.offset, id, version, origin: 'synthetic' });
  }
  return ok(finish(survey, list, placements));
}

function whyUnfit({ space, findings }: Survey, wanted: readonly WantedCapability[]): LayoutRefusal | undefined {
  const { capturedBytes, size: sizeBytes } = space;
  if (!space.isWhole) return { kind: 'space-not-whole', capturedBytes, sizeBytes };
  if (findings.some((one) => one.kind === 'all-ones' && one.offset === 0)) return { kind: 'function-gone' };
  const names = wanted.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) return { kind: 'capability-wanted-twice', name: twice };
  if (wanted.length === 0) return undefined;
  if (!space.hasExtendedSpace) return { kind: 'no-extended-space', sizeBytes };
  if (findings.some((one) => one.kind === 'extended-space-all-ones')) return { kind: 'extended-space-unreadable' };
  const broken = findings.find(breaksExtendedList);
  return broken && { kind: 'extended-list-broken', finding: broken };
}

function breaksExtendedList(finding: Finding): finding is BrokenList {
  const kinds: readonly Finding['kind'][] = breaksTheList;
  return kinds.includes(finding.kind) && 'space' in finding && finding.space === 'extended';
}

function finish(survey: Survey, list: ExtendedList, placements: readonly Placement[]): PlannedLayout {
  const patches = [...list.headerPatches(), ...placements.flatMap(bodyPatches)]
    .sort((a, b) => a.offset - b.offset);
  const layout: Layout = { planner: plannerVersion, placements, patches, extendedList: list.entries };
  const guestConfigSpace = survey.space.patched(patches);
  assertAsPlanned(guestConfigSpace, layout);
  return {
    layout,
    layoutDigest: layoutDigest(layout),
    guestConfigSpace,
    guestConfigSpaceDigest: Digest.of(guestConfigSpace.toBytes()),
  };
}

function bodyPatches({ name, offset, registers }: Placement): readonly ConfigPatch[] {
  return bodyDwords(syntheticCapabilities[name], registers).map((value, index) => {
    const at = ConfigOffset.from(offset + 4 * (index + 1));
    if (!at.ok) throw new RangeError(`${name} at ${offset} runs out of config space`);
    return { offset: at.value, mask: 0xffffffff, value };
  });
}

/** Walks the result as a guest will: it must meet exactly the list we meant. */
function assertAsPlanned(guest: ConfigSpace, layout: Layout): void {
  const walked = walkExtendedCapabilities(guest, []);
  const same = walked.length === layout.extendedList.length && walked.every(({ offset, id, version }, index) => {
    const meant = layout.extendedList[index];
    return meant?.offset === offset && meant.id === id && meant.version === version;
  });
  if (!same) {
    const shown = walked.map((one) => one.offset.toString(16)).join(' ');
    throw new Error(`the planned list does not read back: ${shown}`);
  }
}
