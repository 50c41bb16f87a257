import { type Capability, type CapabilitySpace, type ConfigSpace, type Survey } from '@cadastre/config-space';
import { barSizes } from './base-address.js';
import { type Dropped, type Narrowed, type Relocated, type Replaced } from './baseline.js';
import { canonicalJson } from './canonical-json.js';
import { isNullHead } from './capability-pairs.js';
import { Culprits, type Fleet, type FleetFunction, type FleetGroup } from './fleet.js';
import { identityOf } from './identity-of.js';
import { unlikeVfBars } from './judge-bars.js';
import { type LayoutIdentity } from './layout-document.js';
import { commonPromise, isWeaker, type PromisedField, promisedFields, readPromise } from './promised-field.js';

/** In the order in which one of them is told. */
const whys = ['absent', 'other-length', 'other-version', 'other-hardware', 'elsewhere'] as const;
type Why = (typeof whys)[number];

/** A promise that is weaker in some function than in another. */
interface Weakened {
  readonly field: PromisedField;
  readonly from: number;
  readonly to: number;
  readonly because: readonly string[];
  readonly count: number;
}

/** One capability of the base, and what the fleet has in its place. */
export class Entry {
  readonly unlike = new Map<Why, Culprits>();
  private readonly fields: readonly PromisedField[];
  /** For each field the values the fleet has, and who has them. */
  private readonly values: readonly Map<number, Culprits>[];

  constructor(readonly capability: Capability, private readonly space: ConfigSpace) {
    this.fields = promisedFields(capability.space, capability.id, capability.length);
    this.values = this.fields.map(() => new Map<number, Culprits>());
  }

  blame(why: Why, source: string): void {
    const culprits = this.unlike.get(why) ?? new Culprits();
    this.unlike.set(why, culprits);
    culprits.add(source);
  }

  /** Notes what one function promises, which has the capability at `offset`. */
  hear(source: string, space: ConfigSpace, offset: number): void {
    for (const [index, field] of this.fields.entries()) {
      const value = readPromise(space, offset, field);
      const heard = this.values[index];
      const culprits = heard?.get(value) ?? new Culprits();
      heard?.set(value, culprits);
      culprits.add(source);
    }
  }

  /** What the fleet promises less than its best function does. */
  narrowed(): readonly Narrowed[] {
    const { offset, row: { name } } = this.capability;
    return this.spread().map(({ field, from, to, because, count }) =>
      ({ name, offset, field: field.name, from, to, because, count }));
  }

  /** What the base promises, and not all can keep. */
  weakened(): readonly Weakened[] {
    return this.spread().filter(({ field, to }) =>
      readPromise(this.space, this.capability.offset, field) !== to);
  }

  private spread(): readonly Weakened[] {
    return this.fields.flatMap((field, index) => {
      const heard = [...this.values[index] ?? []];
      const [first] = heard;
      if (!first || heard.length === 1) return [];
      const to = heard.reduce((least, [value]) => commonPromise(field, least, value), first[0]);
      const from = heard.reduce((most, [value]) => bestPromise(field, most, value), first[0]);
      const culprits = new Culprits();
      for (const [value, those] of heard) {
        if (field.counts === 'bits' ? isWeaker(field, from, value) : value === to) culprits.addAll(those);
      }
      return [{ field, from, to, because: culprits.because, count: culprits.count }];
    });
  }
}

/** The most that either keeps. */
function bestPromise(field: PromisedField, one: number, other: number): number {
  if (field.counts === 'bits') return (one | other) >>> 0;
  return isWeaker(field, one, other) ? one : other;
}

/** A capability that is left out; `ofBase` where the base lists it, so that it has to be hidden. */
type DroppedHere = Dropped & { readonly ofBase: boolean };

/** Where the capabilities are that the base does not list, and who lists them. */
interface Further {
  readonly capability: Capability;
  readonly groups: Set<FleetGroup>;
  readonly at: Map<number, number>;
}

/** A baseline while group after group is heard. */
export class BaselineDraft {
  readonly base: FleetFunction;
  /** Bytes that are not the same everywhere, by their place in the layout. */
  readonly varies: Uint8Array;
  private readonly entries: readonly Entry[];
  private readonly further = new Map<string, Further>();
  private readonly identities = new Map<keyof LayoutIdentity, Culprits>();

  constructor(private readonly fleet: Fleet, private readonly relocations: boolean) {
    this.base = fleet.base;
    const { capabilities, space } = this.base.survey;
    this.varies = new Uint8Array(space.size);
    this.entries = capabilities.filter((one) => !isNullHead(one)).map((one) => new Entry(one, space));
  }

  add(group: FleetGroup): void {
    for (const [key, capability] of group.further) {
      const { groups, at } = this.further.get(key) ?? { groups: new Set(), at: new Map<number, number>() };
      this.further.set(key, { capability, groups: groups.add(group), at });
      at.set(capability.offset, (at.get(capability.offset) ?? 0) + group.members.length);
    }
    const isMoved = new Uint8Array(this.varies.length);
    for (const { capability } of this.entries) {
      const { offset, length } = capability;
      const there = group.behind.get(capability);
      if (there && there.offset !== offset) isMoved.fill(1, offset, offset + length);
    }
    for (const member of group.members) {
      this.compareIdentity(member);
      for (const entry of this.entries) this.compare(entry, group.behind.get(entry.capability), member);
      this.compareBytes(member.survey.space, isMoved);
    }
  }

  private compareIdentity({ source, survey }: FleetFunction): void {
    const ours = identityOf(this.base.survey.space);
    const theirs = identityOf(survey.space);
    for (const field of Object.keys(ours) as (keyof LayoutIdentity)[]) {
      if (ours[field] === theirs[field]) continue;
      const culprits = this.identities.get(field) ?? new Culprits();
      this.identities.set(field, culprits);
      culprits.add(source);
    }
  }

  private compare(entry: Entry, there: Capability | undefined, { source, survey }: FleetFunction): void {
    const { capability: { offset, length, version } } = entry;
    if (!there) entry.blame('absent', source);
    else if (there.length !== length) entry.blame('other-length', source);
    else if (there.version !== version) entry.blame('other-version', source);
    else {
      if (isOtherHardware(entry.capability, this.base.survey, there, survey)) entry.blame('other-hardware', source);
      if (there.offset !== offset) entry.blame('elsewhere', source);
      entry.hear(source, survey.space, there.offset);
      if (there.offset === offset) return;
      for (let at = 0; at < length; at += 1) {
        if (survey.space.u8(there.offset + at) !== this.base.survey.space.u8(offset + at)) this.varies[offset + at] = 1;
      }
    }
  }

  private compareBytes(space: ConfigSpace, isMoved: Uint8Array): void {
    const { varies, base: { survey: { space: ours } } } = this;
    for (let at = 0; at < space.size; at += 4) {
      const bits = space.u32(at) ^ ours.u32(at);
      if (bits === 0) continue;
      for (let byte = 0; byte < 4; byte += 1) {
        if (((bits >>> (8 * byte)) & 0xff) !== 0 && isMoved[at + byte] === 0) varies[at + byte] = 1;
      }
    }
  }

  private why({ unlike }: Entry): Why | undefined {
    return whys.find((one) => unlike.has(one) && !(one === 'elsewhere' && this.relocations));
  }

  get kept(): readonly Entry[] {
    return this.entries.filter((one) => this.why(one) === undefined);
  }

  get relocated(): readonly Relocated[] {
    return sorted(this.kept.flatMap(({ unlike, capability }) => {
      const culprits = unlike.get('elsewhere');
      return culprits ? [{ ...listed(capability), because: culprits.because, count: culprits.count }] : [];
    }));
  }

  get dropped(): readonly DroppedHere[] {
    const ofBase = this.entries.flatMap((entry): readonly DroppedHere[] => {
      const why = this.why(entry);
      const culprits = why && entry.unlike.get(why);
      if (!why || !culprits) return [];
      return [{ ...listed(entry.capability), why, because: culprits.because, count: culprits.count, ofBase: true }];
    });
    const further = [...this.further.values()].map(({ capability, groups, at }): DroppedHere => {
      const culprits = new Culprits();
      for (const group of this.fleet.groups) {
        if (!groups.has(group)) for (const { source } of group.members) culprits.add(source);
      }
      const [most] = [...at].sort(([a, times], [b, others]) => others - times || a - b);
      return { ...listed(capability), offset: most?.[0] ?? capability.offset, why: 'absent',
        because: culprits.because, count: culprits.count, ofBase: false };
    });
    return sorted([...ofBase, ...further]);
  }

  get replaced(): readonly Replaced[] {
    return (Object.keys(identityOf(this.base.survey.space)) as (keyof LayoutIdentity)[]).flatMap((field) => {
      const culprits = this.identities.get(field);
      return culprits ? [{ field, because: culprits.because, count: culprits.count }] : [];
    });
  }
}

function listed({ space, id, offset, row: { name } }: Capability): Pick<Dropped, 'space' | 'id' | 'name' | 'offset'> {
  return { space, id, name, offset };
}

function sorted<One extends { readonly space: CapabilitySpace; readonly id: number; readonly offset: number }>(
  all: readonly One[],
): readonly One[] {
  return [...all].sort((a, b) => (a.space === b.space ? a.offset - b.offset || a.id - b.id
    : a.space === 'standard' ? -1 : 1));
}

/** Whether a register says where the hardware has something, or how large, and the two do not agree. */
function isOtherHardware(one: Capability, base: Survey, there: Capability, here: Survey): boolean {
  const { space, id, offset, length } = one;
  if (space === 'extended' && id === 0x10 && unlikeVfBars(base.space, one, here.space, there).length > 0) return true;
  if (space === 'standard' && id === 0x14) {
    return canonicalJson(barSizes(base.space, [one])) !== canonicalJson(barSizes(here.space, [there]));
  }
  return promisedFields(space, id, length).some((field) => field.counts === 'same'
    && readPromise(base.space, offset, field) !== readPromise(here.space, there.offset, field));
}
