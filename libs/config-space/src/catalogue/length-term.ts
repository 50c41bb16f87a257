import { type ConfigSpace, extendedSizeBytes, extendedSpaceAt } from '../config-space.js';

/**
 * How long a capability is, as data: a number, a register field, or terms made of them.
 * `null` is a length nobody confirmed or knows: such a capability is opaque up to the next start (reading B).
 */
export type LengthTerm =
  | number
  | null
  | { readonly op: 'field'; readonly of: Origin; readonly at: number; readonly bytes: 1 | 2 | 4;
      readonly lsb: number; readonly width: number }
  | { readonly op: 'version' }
  | { readonly op: 'unconfirmed'; readonly expected: LengthTerm }
  | { readonly op: 'sum' | 'product' | 'largest'; readonly terms: readonly LengthTerm[] }
  | { readonly op: 'round-up' | 'ceil-div'; readonly term: LengthTerm; readonly by: number }
  | { readonly op: 'highest-bit'; readonly term: LengthTerm }
  | { readonly op: 'choose'; readonly by: LengthTerm; readonly from: Readonly<Record<number, LengthTerm>>;
      readonly otherwise: LengthTerm }
  | { readonly op: 'records'; readonly from: LengthTerm; readonly count: LengthTerm; readonly size: LengthTerm }
  | { readonly op: 'farthest'; readonly from: number; readonly stride: number; readonly count: LengthTerm;
      readonly reach: LengthTerm };

/**
 * Where a field's offset counts from: this capability, the running record of a table inside it,
 * the function's PCI Express capability, or the start of config space.
 */
type Origin = 'capability' | 'record' | 'express' | 'header';

/** Records of one table: more than a space can hold can only be a lie. */
const recordsMax = 1024;

/** A register field of the capability: offset of the register, its size in bytes, lowest bit, number of bits. */
export function bits(at: number, bytes: 1 | 2 | 4, lsb: number, width: number): LengthTerm {
  return { op: 'field', of: 'capability', at, bytes, lsb, width };
}

/** The same in the current record of a table (`records`, `farthest`). */
export function recordBits(at: number, bytes: 1 | 2 | 4, lsb: number, width: number): LengthTerm {
  return { op: 'field', of: 'record', at, bytes, lsb, width };
}

/** The same in the function's PCI Express capability; unknown where there is none. */
export function expressBits(at: number, bytes: 1 | 2 | 4, lsb: number, width: number): LengthTerm {
  return { op: 'field', of: 'express', at, bytes, lsb, width };
}

/** The same in the common header. */
export function headerBits(at: number, bytes: 1 | 2 | 4, lsb: number, width: number): LengthTerm {
  return { op: 'field', of: 'header', at, bytes, lsb, width };
}

/** The version in an extended capability's header. */
export const headerVersion: LengthTerm = { op: 'version' };

export function sum(...terms: readonly LengthTerm[]): LengthTerm {
  return { op: 'sum', terms };
}

export function product(...terms: readonly LengthTerm[]): LengthTerm {
  return { op: 'product', terms };
}

export function largest(...terms: readonly LengthTerm[]): LengthTerm {
  return { op: 'largest', terms };
}

/** The next multiple of `by`. */
export function roundUp(term: LengthTerm, by: number): LengthTerm {
  return { op: 'round-up', term, by };
}

/** How many units of `by` hold it. */
export function ceilDiv(term: LengthTerm, by: number): LengthTerm {
  return { op: 'ceil-div', term, by };
}

/** The number of the highest bit set; unknown for zero. */
export function highestBit(term: LengthTerm): LengthTerm {
  return { op: 'highest-bit', term };
}

/** The entry of `from` that `by` selects. A selector that is absent, or has no entry, takes `otherwise`. */
export function choose(by: LengthTerm, from: Readonly<Record<number, LengthTerm>>, otherwise: LengthTerm): LengthTerm {
  return { op: 'choose', by, from, otherwise };
}

/** `then` where the one-bit field is set, otherwise nothing. A bit that is absent is not set. */
export function ifSet(bit: LengthTerm, then: LengthTerm): LengthTerm {
  return choose(bit, { 1: then }, 0);
}

/** The end of `count` records of varying size that follow each other from `from` on. */
export function records(from: LengthTerm, count: LengthTerm, size: LengthTerm): LengthTerm {
  return { op: 'records', from, count, size };
}

/** The largest `reach` told by any of `count` records that lie `stride` apart. */
export function farthest(from: number, stride: number, count: LengthTerm, reach: LengthTerm): LengthTerm {
  return { op: 'farthest', from, stride, count, reach };
}

/** The specification was not available and no source confirms this length: kept for the reader, never used. */
export function unconfirmed(expected: LengthTerm): LengthTerm {
  return { op: 'unconfirmed', expected };
}

/** What a length may depend on. Offsets are absolute; `expressAt` is absent on conventional functions. */
export interface LengthContext {
  readonly space: ConfigSpace;
  readonly at: number;
  readonly version: number;
  readonly expressAt: number | undefined;
}

/**
 * The value of a term in bytes. Undefined when nobody knows it, or the function has no such register; `NaN` when
 * a register it depends on was not captured, which no `choose` may turn into a length.
 */
export function evaluateLength(term: LengthTerm, context: LengthContext, record = 0): number | undefined {
  if (typeof term === 'number') return term;
  if (term === null) return undefined;
  switch (term.op) {
    case 'field': {
      const origin = originOf(term.of, context, record);
      if (origin === undefined) return undefined;
      // A PCI Express capability that would pass 0x100 ends there: what follows is somebody else's register.
      if (term.of === 'express' && origin + term.at + term.bytes > extendedSpaceAt) return undefined;
      return readField(context.space, origin + term.at, term);
    }
    case 'unconfirmed':
      return undefined;
    case 'version':
      return context.version;
    case 'sum':
    case 'product':
    case 'largest':
      return combine(term.op, term.terms, context, record);
    case 'round-up':
    case 'ceil-div': {
      const exact = evaluateLength(term.term, context, record);
      if (exact === undefined) return undefined;
      return Math.ceil(exact / term.by) * (term.op === 'round-up' ? term.by : 1);
    }
    case 'highest-bit': {
      const value = evaluateLength(term.term, context, record);
      if (value === undefined || value === 0) return undefined;
      return Number.isNaN(value) ? NaN : 31 - Math.clz32(value);
    }
    case 'choose': {
      const by = evaluateLength(term.by, context, record);
      if (by !== undefined && Number.isNaN(by)) return NaN;
      const chosen = by === undefined ? undefined : term.from[by];
      return evaluateLength(chosen === undefined ? term.otherwise : chosen, context, record);
    }
    case 'records':
      return walkRecords(term, context);
    case 'farthest':
      return farthestReach(term, context);
  }
}

function originOf(of: Origin, context: LengthContext, record: number): number | undefined {
  switch (of) {
    case 'capability': return context.at;
    case 'record': return record;
    case 'express': return context.expressAt;
    case 'header': return 0;
  }
}

function readField(
  space: ConfigSpace, at: number, field: { readonly bytes: 1 | 2 | 4; readonly lsb: number; readonly width: number },
): number {
  if (!space.captured(at, field.bytes)) return NaN;
  const register = field.bytes === 4 ? space.u32(at) : field.bytes === 2 ? space.u16(at) : space.u8(at);
  return (register >>> field.lsb) & (0xffffffff >>> (32 - field.width));
}

function combine(
  op: 'sum' | 'product' | 'largest', terms: readonly LengthTerm[], context: LengthContext, record: number,
): number | undefined {
  let total = op === 'product' ? 1 : 0;
  for (const term of terms) {
    const value = evaluateLength(term, context, record);
    if (value === undefined) return undefined;
    total = op === 'sum' ? total + value : op === 'product' ? total * value : Math.max(total, value);
  }
  return total;
}

function walkRecords(
  term: { readonly from: LengthTerm; readonly count: LengthTerm; readonly size: LengthTerm }, context: LengthContext,
): number | undefined {
  const from = evaluateLength(term.from, context);
  const count = evaluateLength(term.count, context);
  if (from === undefined || count === undefined || count > recordsMax) return undefined;
  if (Number.isNaN(count)) return NaN;
  let end = from;
  for (let index = 0; index < count; index += 1) {
    const size = evaluateLength(term.size, context, context.at + end);
    if (size === undefined) return undefined;
    end += size;
    // Records that pass the whole space are a lie of the count or of the sizes (reading B15).
    if (context.at + end > extendedSizeBytes) return undefined;
  }
  return end;
}

function farthestReach(
  term: { readonly from: number; readonly stride: number; readonly count: LengthTerm; readonly reach: LengthTerm },
  context: LengthContext,
): number | undefined {
  const count = evaluateLength(term.count, context);
  if (count === undefined || count > recordsMax) return undefined;
  if (Number.isNaN(count)) return NaN;
  let end = 0;
  for (let index = 0; index < count; index += 1) {
    const reach = evaluateLength(term.reach, context, context.at + term.from + index * term.stride);
    if (reach === undefined) return undefined;
    end = Math.max(end, reach);
  }
  return end;
}
