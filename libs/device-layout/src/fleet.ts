import { type Capability, type Survey } from '@cadastre/config-space';
import { isNullHead, kindOf, pairsOf } from './capability-pairs.js';
import { identityOf } from './identity-of.js';
import { unlikeBars } from './judge-bars.js';

/** One function of a fleet, in the words of whoever brings it. */
export interface FleetFunction {
  readonly source: string;
  readonly survey: Survey;
}

/** Functions of one identity that list the same capabilities in the same places: what one of them lists, all do. */
export interface FleetGroup {
  readonly members: readonly FleetFunction[];
  /** The first member's. */
  readonly capabilities: readonly Capability[];
  /** For each capability of the base the one of this group that stands behind it. */
  readonly behind: ReadonlyMap<Capability, Capability>;
  /** Capabilities that stand behind none, each under a name that is the same in every group. */
  readonly further: ReadonlyMap<string, Capability>;
}

/** A fleet as seen from the one function whose places most of it has. Nothing in it depends on who came first. */
export interface Fleet {
  readonly base: FleetFunction;
  readonly groups: readonly FleetGroup[];
}

export type FleetRefusal =
  | { readonly kind: 'function-unfit'; readonly source: string; readonly problem: string }
  /** Functions of another vendor, class, header or size, or with BARs of another kind, share no layout. */
  | { readonly kind: 'nothing-in-common'; readonly source: string; readonly field: string; readonly here: number;
      /** One of those most functions are like, and what it has. */
      readonly base: string; readonly there: number };

/** What is wrong with a function, or between it and the base; of several functions that of the first by name. */
export function unfitIn(functions: readonly FleetFunction[]): FleetRefusal | undefined {
  return firstByName(functions, ({ source, survey: { space, findings } }) => {
    const isGone = findings.some((one) => one.kind === 'all-ones' && one.offset === 0);
    if (space.isWhole && !isGone) return undefined;
    const problem = isGone ? 'the function does not answer' : `only ${space.capturedBytes} bytes were captured`;
    return { kind: 'function-unfit', source, problem };
  });
}

export function unlikeIn(functions: readonly FleetFunction[], base: FleetFunction): FleetRefusal | undefined {
  return firstByName(functions, (one) => {
    const unlike = one === base ? undefined : unlikeField(one.survey, base.survey);
    return unlike && { kind: 'nothing-in-common', source: one.source, base: base.source, ...unlike };
  });
}

function unlikeField(
  { space, header }: Survey, base: Survey,
): { readonly field: string; readonly here: number; readonly there: number } | undefined {
  if (space.size !== base.space.size) return { field: 'configSize', here: space.size, there: base.space.size };
  const field = (['vendorId', 'classCode', 'type'] as const).find((name) => header[name] !== base.header[name]);
  if (field) return { field, here: header[field], there: base.header[field] };
  const [bar] = unlikeBars(base.space, space);
  return bar && { field: `kind of BAR ${bar.bar}`, here: bar.destination, there: bar.layout };
}

function firstByName<Found extends { readonly source: string }>(
  functions: readonly FleetFunction[], judge: (one: FleetFunction) => Found | undefined,
): Found | undefined {
  let first: Found | undefined;
  for (const one of functions) {
    if (first && one.source >= first.source) continue;
    first = judge(one) ?? first;
  }
  return first;
}

/** Groups a fleet, and takes as base what most functions list; of those the one with the lowest bytes. */
export function fleetOf(functions: readonly [FleetFunction, ...FleetFunction[]]): Fleet {
  const byShape = new Map<string, FleetFunction[]>();
  for (const one of functions) {
    const shape = shapeOf(one.survey);
    const members = byShape.get(shape);
    if (members) members.push(one);
    else byShape.set(shape, [one]);
  }
  const shapes = [...byShape].sort(([a], [b]) => (a < b ? -1 : 1));
  let base = functions[0];
  let most = 0;
  for (const [, members] of shapes) {
    if (members.length <= most) continue;
    most = members.length;
    base = members.reduce((lowest, one) => (isLower(one, lowest) ? one : lowest));
  }
  return { base, groups: shapes.map(([, members]) => groupOf(members, base.survey)) };
}

/** What a function is, what it lists and where, in words of its bytes alone. */
function shapeOf({ capabilities, space }: Survey): string {
  const lists = capabilities.map((one) => `${kindOf(one, space)}@${one.offset}+${one.length}v${one.version}`);
  return [...Object.values(identityOf(space)), ...lists].join(' ');
}

/** Of two functions with the same bytes that with the lower name. */
function isLower(one: FleetFunction, other: FleetFunction): boolean {
  const [here, there] = [one.survey.space, other.survey.space];
  for (let at = 0; at < here.size && at < there.size; at += 4) {
    const [ours, theirs] = [here.u32(at), there.u32(at)];
    if (ours !== theirs) return ours < theirs;
  }
  return here.size === there.size ? one.source < other.source : here.size < there.size;
}

function groupOf(members: readonly FleetFunction[], base: Survey): FleetGroup {
  const [first] = members;
  if (!first) throw new RangeError('a group has members');
  const { capabilities, space } = first.survey;
  const behind = pairsOf(base.capabilities, capabilities, (one, other) =>
    kindOf(one, base.space) === kindOf(other, space));
  const used = new Set(behind.values());
  const further = new Map<string, Capability>();
  const rest = capabilities.filter((one) => !used.has(one) && !isNullHead(one));
  for (const one of [...rest].sort((a, b) => a.offset - b.offset)) {
    const kind = kindOf(one, space);
    let nth = 0;
    while (further.has(`${kind} ${nth}`)) nth += 1;
    further.set(`${kind} ${nth}`, one);
  }
  return { members, capabilities, behind, further };
}

/** Functions named for one reason: the first few by name, and how many there are. */
export class Culprits {
  count = 0;
  private readonly first: string[] = [];

  /** Names told for one reason. A fleet has thousands; whoever looks into it needs a few to begin with. */
  static readonly namedMax = 8;

  add(source: string): void {
    this.count += 1;
    const { first } = this;
    if (first.length === Culprits.namedMax && source >= (first.at(-1) ?? '')) return;
    const index = first.findIndex((one) => source < one);
    first.splice(index < 0 ? first.length : index, 0, source);
    if (first.length > Culprits.namedMax) first.pop();
  }

  addAll(others: Culprits): void {
    for (const one of others.first) this.add(one);
    this.count += others.count - others.first.length;
  }

  get because(): readonly string[] {
    return this.first;
  }
}
