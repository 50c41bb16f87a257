import {
  type ByteRange, type CapabilitySpace, ConfigOffset, type ConfigPatch, type ConfigSpace, findCapability,
} from '@cadastre/config-space';
import { obedientVmm } from '@cadastre/vmm-profiles';
import { CapabilityList } from './capability-list.js';
import { cautionsAt, uselessness } from './cautions.js';
import { Digest } from './digest.js';
import { type Ground, type PersonaPlaces } from './ground.js';
import { type LayoutCapability, type LayoutDocument } from './layout-document.js';
import { type LayoutOperation } from './layout-operation.js';
import { layoutDocument } from './make-layout-document.js';
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
  /** The same as a ledger records it: what is visible of the document can be made of it and the hardware again. */
  readonly decided: Layout;
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
  const patches = patchesBetween(survey.space, space);
  const decided: Layout = {
    planner: plannerVersion, placements: placementsOf(persona, space, wearer), patches,
    operations: operationsOf(layout), relocations: verdict.relocations, evidence: evidenceOf(wearer),
    standardList: entriesOf(layout, 'standard'), extendedList: entriesOf(layout, 'extended'),
  };
  return { persona: named, verdict, worn: { layout: layoutDocument(survey, decided, space), patches, decided } };
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
export function planWorn({ decided, layout: { space } }: Worn): PlannedLayout {
  return {
    layout: decided, layoutDigest: layoutDigest(decided), guestConfigSpace: space,
    guestConfigSpaceDigest: Digest.ofSpace(space),
  };
}

/** What the VMM makes up, also where the hardware has one of its kind; what no row builds is bytes alone. */
function placementsOf(persona: Persona, shown: ConfigSpace, wearer: Wearer): readonly Placement[] {
  return persona.layout.capabilities.flatMap(({ space, id, version, name, offset, length, backing, decision }) => {
    const builder = name.toLowerCase();
    const at = ConfigOffset.from(offset);
    if (backing.kind === 'physical' || !isSyntheticName(builder) || !at.ok) return [];
    const placement: Placement = {
      name: builder, space, id, version, offset: at.value, length, strategy: 'persona',
      reason: { kind: 'persona-has-it-here', persona: personaName(persona), considered: consideredIn(decision) },
      cautions: cautionsOf(builder, { offset: at.value, length }, wearer), refused: [],
      registers: registersIn(shown, builder, offset),
    };
    return [placement];
  });
}

/** How the capability came to its place in the persona. One that was worn before has it in its words already. */
function consideredIn(decision: LayoutCapability['decision']): readonly string[] {
  if (!decision || decision.rule === 'persona') return decision?.considered ?? [];
  return [...decision.considered, `for the persona it was taken, ${decision.rule}: ${decision.reason}`];
}

const replacing: readonly string[] = ['replace-identity', 'replace-register'];

/** What the persona shows otherwise than any hardware: it stays so wherever it is worn. */
function operationsOf({ ranges, space }: LayoutDocument): readonly LayoutOperation[] {
  return ranges.flatMap(({ offset, length, provenance: { by, rule, note } }): readonly LayoutOperation[] => {
    const reason = note ?? 'of the persona';
    if (by === 'operator' && rule === 'scrub') return [{ kind: 'scrub', offset, length, reason }];
    if (by !== 'operator' || !replacing.includes(rule)) return [];
    const first = offset & ~3;
    return Array.from({ length: (offset + length - first + 3) >>> 2 }, (_, index) => first + 4 * index).map((at) => {
      const mask = [0, 1, 2, 3].filter((byte) => at + byte >= offset && at + byte < offset + length)
        .reduce((bits, byte) => (bits | (0xff << (8 * byte))) >>> 0, 0);
      return { kind: 'replace-register', offset: at, mask, value: (space.u32(at) & mask) >>> 0, reason };
    });
  });
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
