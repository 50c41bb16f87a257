import {
  type ByteRange, type CapabilitySpace, ConfigOffset, type ConfigPatch, findCapability,
} from '@cadastre/config-space';
import { obedientVmm } from '@cadastre/vmm-profiles';
import { CapabilityList } from './capability-list.js';
import { cautionsAt, uselessness } from './cautions.js';
import { Digest } from './digest.js';
import { type Ground, type PersonaPlaces } from './ground.js';
import { identityOf, type LayoutCapability, type LayoutDocument } from './layout-document.js';
import { migrationVerdict } from './migration-verdict.js';
import { type Layout, layoutDigest, type LayoutEvidence, type ListEntry, type Placement } from './layout.js';
import { patchesBetween } from './patches-between.js';
import { plannerVersion, type PlannedLayout } from './plan-layout.js';
import { type QuirkRow, quirksOf } from './quirk-row.js';
import { type Caution } from './refusal.js';
import { shownSpace } from './shown-bytes.js';
import { isSyntheticName, registersIn, syntheticCapability, type SyntheticName } from './synthetic-capability.js';
import { type Destination, type Verdict } from './verdict.js';
import { headerAsBound } from './vfio-function.js';

/** A named, versioned layout of an instance type. A published version never changes. */
export interface Persona {
  readonly name: string;
  readonly version: number;
  readonly layout: LayoutDocument;
}

/** A function that wears a persona: what its guest reads, and as patches over what it is. */
export interface Worn {
  readonly layout: LayoutDocument;
  readonly patches: readonly ConfigPatch[];
}

export interface Fit {
  readonly persona: string;
  /** `verdict.relocations` and `verdict.hidden` tell what the VMM has to do; its reasons, why it does not fit. */
  readonly verdict: Verdict;
  /** Null when it does not fit. */
  readonly worn: Worn | null;
}

/** Who is to wear a persona, and everything known of it. */
export type Wearer = Omit<Destination, 'vmm' | 'shown'>;

/** Whether a function can wear a persona, by a VMM that obeys layout documents, and how. */
export function fit(persona: Persona, wearer: Wearer): Fit {
  const { layout } = persona;
  const { survey } = wearer;
  const verdict = migrationVerdict(layout, { ...wearer, vmm: obedientVmm });
  const named = personaName(persona);
  if (verdict.reasons.length > 0) return { persona: named, verdict, worn: null };
  const space = shownSpace(layout, survey, verdict.relocations);
  const capabilities = layout.capabilities.map((one): LayoutCapability => {
    const moved = verdict.relocations.find(({ space: list, guest }) => list === one.space && guest === one.offset);
    if (one.origin === 'synthetic') return { ...one, origin: 'persona' };
    return moved && one.backing.kind === 'physical'
      ? { ...one, backing: { kind: 'physical', offset: moved.physical } } : one;
  });
  const worn = { ...layout, capabilities, space, identity: identityOf(space), evidence: evidenceOf(wearer) };
  return { persona: named, verdict, worn: { layout: worn, patches: patchesBetween(survey.space, space) } };
}

export function personaName({ name, version }: Pick<Persona, 'name' | 'version'>): string {
  return `${name}@${version}`;
}

/** What the verdict about a place rested on. */
function evidenceOf(wearer: Wearer): LayoutEvidence {
  const { evidence } = wearer;
  return { captures: evidence?.named ?? [], looked: evidence?.looked ?? 0, told: [],
    quirks: rowsAbout(wearer).map(({ name }) => name) };
}

function rowsAbout({ survey, physicalFunction, quirks = [] }: Wearer): readonly QuirkRow[] {
  return quirksOf(headerAsBound(survey.header, physicalFunction), quirks);
}

/** The places of what a persona adds, for a planner that follows it. */
export function personaPlaces(persona: Persona): PersonaPlaces {
  const places = persona.layout.capabilities.filter(({ origin }) => origin === 'synthetic' || origin === 'persona')
    .flatMap(({ name, offset }) => {
      const builder = name.toLowerCase();
      return isSyntheticName(builder) ? [[builder, offset] as const] : [];
    });
  return { persona: personaName(persona), places: Object.fromEntries(places) };
}

/** A worn persona as a decision: placements for what it adds, patches for all it changes. */
export function planWorn(persona: Persona, { layout, patches }: Worn, wearer: Wearer): PlannedLayout {
  const placements = layout.capabilities.flatMap(({ space, id, version, name, offset, length, origin }) => {
    const builder = name.toLowerCase();
    const at = ConfigOffset.from(offset);
    if (origin !== 'persona' || !isSyntheticName(builder) || !at.ok) return [];
    const placement: Placement = {
      name: builder, space, id, version, offset: at.value, length, strategy: 'persona',
      reason: { kind: 'persona-has-it-here', persona: personaName(persona) }, refused: [],
      cautions: cautionsOf(builder, { offset: at.value, length }, wearer),
      registers: registersIn(layout.space, builder, offset),
    };
    return [placement];
  });
  const decided: Layout = {
    planner: plannerVersion, placements, patches, operations: [],
    evidence: layout.evidence,
    standardList: entriesOf(layout, 'standard'), extendedList: entriesOf(layout, 'extended'),
  };
  return {
    layout: decided, layoutDigest: layoutDigest(decided), guestConfigSpace: layout.space,
    guestConfigSpaceDigest: Digest.of(layout.space.toBytes()),
  };
}

/** What a planner would have said of a capability in this place. */
function cautionsOf(name: SyntheticName, range: ByteRange, wearer: Wearer): readonly Caution[] {
  const { survey, physicalFunction, evidence = null } = wearer;
  const { space } = syntheticCapability(name);
  const ground: Ground = {
    space, survey, physicalFunction: physicalFunction ? { address: null, survey: physicalFunction } : null,
    policy: { strategies: ['persona'], pinned: {}, allowedRanges: [], forbiddenRanges: [] }, taken: [],
    list: CapabilityList.of(survey, space), hasExpress: findCapability(survey, 'standard', 0x10) !== undefined,
    persona: null, told: [], quirks: rowsAbout(wearer), evidence,
  };
  return [...cautionsAt(range, ground), ...uselessness(name, ground)];
}

function entriesOf({ capabilities }: LayoutDocument, space: CapabilitySpace): readonly ListEntry[] {
  return capabilities.filter((one) => one.space === space).map(({ offset, id, version, origin }) =>
    ({ offset, id, version, origin: origin === 'persona' ? 'synthetic' : origin }));
}
