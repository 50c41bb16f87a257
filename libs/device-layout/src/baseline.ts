import { type Capability, type CapabilitySpace, ok, refuse, type Result, type Survey } from '@cadastre/config-space';
import { barSizes } from './base-address.js';
import { canonicalJson } from './canonical-json.js';
import { kindOf } from './capability-pairs.js';
import { explainRefusal } from './explain.js';
import { unlikeBars, unlikeVfBars } from './judge-bars.js';
import { identityOf, type LayoutDocument, type LayoutIdentity, type LayoutRange } from './layout-document.js';
import { type LayoutOperation } from './layout-operation.js';
import { layoutDocument } from './make-layout-document.js';
import { planLayout } from './plan-layout.js';
import { commonPromise, isWeaker, promisedFields, readPromise } from './promised-field.js';

/** One function of a fleet, in the words of whoever brings it. */
export interface FleetFunction {
  readonly source: string;
  readonly survey: Survey;
}

/** Functions one baseline is made of: the fleet of a large site, and a fence. */
export const fleetFunctionsMax = 100_000;

/** A capability of the first function that not all have like that, and because of whom it is left out. */
export interface Dropped {
  readonly space: CapabilitySpace;
  readonly id: number;
  readonly name: string;
  readonly offset: number;
  readonly why: 'absent' | 'elsewhere' | 'other-length' | 'other-version' | 'other-hardware';
  readonly because: string;
}

/** A promise of a register that not all can keep, and who keeps the least. */
export interface Narrowed {
  readonly name: string;
  readonly offset: number;
  readonly field: string;
  readonly from: number;
  readonly to: number;
  readonly because: string;
}

export interface Baseline {
  readonly layout: LayoutDocument;
  readonly dropped: readonly Dropped[];
  readonly narrowed: readonly Narrowed[];
  /** Identity fields that are not the same everywhere; the layout has those of the first function. */
  readonly replaced: readonly { readonly field: keyof LayoutIdentity; readonly because: string }[];
}

export type BaselineRefusal =
  | { readonly kind: 'fleet-empty' }
  | { readonly kind: 'fleet-too-large'; readonly count: number; readonly most: number }
  | { readonly kind: 'function-unfit'; readonly source: string; readonly problem: string }
  /** Functions of another vendor, class, header or size, or with BARs of another kind, share no layout. */
  | { readonly kind: 'nothing-in-common'; readonly source: string; readonly field: string;
      readonly first: number; readonly here: number };

/** Why there is no baseline, in one line. */
export function explainBaselineRefusal(refusal: BaselineRefusal): string {
  switch (refusal.kind) {
    case 'fleet-empty': return 'no function was given';
    case 'fleet-too-large': return `${refusal.count} functions were given, ${refusal.most} are the most`;
    case 'function-unfit': return `${refusal.source}: ${refusal.problem}`;
    case 'nothing-in-common':
      return `${refusal.source} has ${refusal.field} 0x${refusal.here.toString(16)}, the first function `
        + `0x${refusal.first.toString(16)}`;
  }
}

/** A baseline while function after function narrows it. */
interface Draft {
  readonly first: Survey;
  readonly kept: Map<Capability, readonly number[]>;
  readonly dropped: Dropped[];
  readonly narrowedBy: Map<string, Narrowed>;
  readonly replaced: Map<keyof LayoutIdentity, string>;
  /** Bytes that are not the same everywhere. */
  readonly varies: Uint8Array;
}

/**
 * The greatest layout that all functions can show: capabilities all have in the same place and shape, promises all
 * can keep. Like the baseline of a CPU, with the reason for all that is left out.
 */
export function baseline(functions: readonly FleetFunction[]): Result<Baseline, BaselineRefusal> {
  const [head] = functions;
  if (!head) return refuse({ kind: 'fleet-empty' });
  if (functions.length > fleetFunctionsMax) {
    return refuse({ kind: 'fleet-too-large', count: functions.length, most: fleetFunctionsMax });
  }
  const first = head.survey;
  const draft: Draft = {
    first, dropped: [], narrowedBy: new Map(), replaced: new Map(), varies: new Uint8Array(first.space.size),
    kept: new Map(first.capabilities.map((one) => [one,
      promisedFields(one.space, one.id, one.length).map((field) => readPromise(first.space, one.offset, field))])),
  };
  for (const one of functions) {
    const refusal = unfit(one, first);
    if (refusal) return refuse(refusal);
    if (one !== head && noteDifferences(one.survey, draft)) narrow(one, draft);
  }
  return finish(draft, head.source);
}

function unfit({ source, survey: { space, findings, header } }: FleetFunction, first: Survey):
BaselineRefusal | undefined {
  if (!space.isWhole) {
    return { kind: 'function-unfit', source, problem: `only ${space.capturedBytes} bytes were captured` };
  }
  if (findings.some((one) => one.kind === 'all-ones' && one.offset === 0)) {
    return { kind: 'function-unfit', source, problem: 'the function does not answer' };
  }
  if (space.size !== first.space.size) {
    return { kind: 'nothing-in-common', source, field: 'configSize', first: first.space.size, here: space.size };
  }
  const field = (['vendorId', 'classCode', 'type'] as const).find((name) => header[name] !== first.header[name]);
  if (field) return { kind: 'nothing-in-common', source, field, first: first.header[field], here: header[field] };
  const [unlike] = unlikeBars(first.space, space);
  return unlike && { kind: 'nothing-in-common', source, field: `kind of BAR ${unlike.bar}`, first: unlike.layout,
    here: unlike.destination };
}

/** Marks the bytes that differ from the first function's. False when none does: most functions of a fleet. */
function noteDifferences({ space }: Survey, { first, varies }: Draft): boolean {
  let differs = false;
  for (let at = 0; at < space.size; at += 4) {
    const bits = space.u32(at) ^ first.space.u32(at);
    if (bits === 0) continue;
    differs = true;
    for (let byte = 0; byte < 4; byte += 1) if (((bits >>> (8 * byte)) & 0xff) !== 0) varies[at + byte] = 1;
  }
  return differs;
}

function narrow({ source, survey }: FleetFunction, draft: Draft): void {
  const { first, kept, dropped, narrowedBy, replaced } = draft;
  const ours = identityOf(first.space);
  const theirs = identityOf(survey.space);
  for (const field of Object.keys(ours) as (keyof LayoutIdentity)[]) {
    if (ours[field] !== theirs[field] && !replaced.has(field)) replaced.set(field, source);
  }
  for (const [one, values] of kept) {
    const { space, id, offset, length, row: { name } } = one;
    const alike = survey.capabilities.filter((other) => other.space === space && other.id === id
      && kindOf(other, survey.space) === kindOf(one, first.space));
    const here = alike.find((other) => other.offset === offset);
    const why = !here ? (alike.length > 0 ? 'elsewhere' : 'absent')
      : here.length !== length ? 'other-length' : here.version !== one.version ? 'other-version'
        : isOtherHardware(one, survey, first) ? 'other-hardware' : undefined;
    if (why) {
      kept.delete(one);
      dropped.push({ space, id, name, offset, why, because: source });
      continue;
    }
    const fields = promisedFields(space, id, length);
    const common = fields.map((field, index) => {
      const before = values[index] ?? 0;
      const value = commonPromise(field, before, readPromise(survey.space, offset, field));
      const from = readPromise(first.space, offset, field);
      if (value !== before) {
        narrowedBy.set(`${space} ${offset} ${field.name}`, {
          name, offset, field: field.name, from, to: value, because: source });
      }
      return value;
    });
    if (common.some((value, index) => value !== values[index])) kept.set(one, common);
  }
}

/** Whether a register says where the hardware has something, or how large, and the two do not agree. */
function isOtherHardware(one: Capability, here: Survey, first: Survey): boolean {
  const { space, id, offset, length } = one;
  if (space === 'extended' && id === 0x10 && unlikeVfBars(first.space, one, here.space, one).length > 0) return true;
  if (space === 'standard' && id === 0x14) {
    return canonicalJson(barSizes(first.space, [one])) !== canonicalJson(barSizes(here.space, [one]));
  }
  return promisedFields(space, id, length).some((field) => field.counts === 'same'
    && isWeaker(field, readPromise(first.space, offset, field), readPromise(here.space, offset, field)));
}

function finish(draft: Draft, source: string): Result<Baseline, BaselineRefusal> {
  const { first, kept, dropped, narrowedBy, replaced, varies } = draft;
  const operations: LayoutOperation[] = dropped.map(({ space, id, offset, why, because }) =>
    ({ kind: 'hide-capability', space, id, offset, reason: `${why} in ${because}` }));
  const fixed = new Set<number>();
  for (const [{ space, id, offset, length }, values] of kept) {
    for (const [index, field] of promisedFields(space, id, length).entries()) {
      const to = values[index] ?? 0;
      const narrowed = narrowedBy.get(`${space} ${offset} ${field.name}`);
      if (!narrowed) continue;
      const mask = (((2 ** field.width) - 1) * 2 ** field.lsb) >>> 0;
      operations.push({ kind: 'replace-register', offset: offset + field.at, mask,
        value: (to * 2 ** field.lsb) >>> 0, reason: `the most ${narrowed.because} can keep` });
      for (let byte = field.lsb >>> 3; byte <= (field.lsb + field.width - 1) >>> 3; byte += 1) {
        fixed.add(offset + field.at + byte);
      }
    }
  }
  const planned = planLayout({
    survey: first, physicalFunction: null, wanted: [], operations,
    policy: { strategies: [], pinned: {}, allowedRanges: [], forbiddenRanges: [] },
  });
  if (!planned.ok) return refuse({ kind: 'function-unfit', source, problem: explainRefusal(planned.refusal) });
  const layout = layoutDocument(first, planned.value.layout, planned.value.guestConfigSpace);
  const droppedAt = new Set(dropped.map(({ space, offset }) => `${space} ${offset}`));
  return ok({
    layout: { ...layout, ranges: loosened(layout.ranges, (at) => varies[at] === 1 && !fixed.has(at)) },
    dropped, replaced: [...replaced].map(([field, because]) => ({ field, because })),
    narrowed: [...narrowedBy].filter(([key]) => !droppedAt.has(key.split(' ').slice(0, 2).join(' ')))
      .map(([, one]) => one),
  });
}

/** Bytes that differ in the fleet cannot be promised to be identical: they may differ as they do. */
function loosened(ranges: readonly LayoutRange[], varies: (at: number) => boolean): readonly LayoutRange[] {
  return ranges.flatMap((range) => {
    if (range.compare !== 'identical') return [range];
    const parts: LayoutRange[] = [];
    const end = range.offset + range.length;
    let from = range.offset;
    for (let at = from + 1; at <= end; at += 1) {
      if (at < end && varies(at) === varies(from)) continue;
      const compare = varies(from) ? 'consistent' : 'identical';
      parts.push({ ...range, offset: from, length: at - from, compare });
      from = at;
    }
    return parts;
  });
}
