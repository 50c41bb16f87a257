import { ByteRange } from '@cadastre/config-space';
import { type LayoutCapability, type LayoutDocument, type LayoutRange } from './layout-document.js';

/** An event of the ledger, by where and when it was recorded. */
export interface EventNamed {
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly recordedAt: string;
}

/** The events a recorded layout comes from: what was decided, and the bytes it was decided over. */
export interface LayoutEvents {
  readonly decided: EventNamed;
  readonly observed: EventNamed;
}

/** Everything there is to say about one byte a guest reads. */
export interface ByteExplanation {
  readonly offset: number;
  readonly value: number;
  /** `header`, the name of a capability, or `gap`. */
  readonly owner: string;
  /** Who put it there, by which strategy, operation or rule, and why. */
  readonly by: LayoutRange['provenance']['by'];
  readonly rule: string;
  readonly note: string | null;
  /** What was considered instead, in words. */
  readonly considered: readonly string[];
  readonly capability: LayoutCapability | null;
  readonly range: LayoutRange;
  /** The event that put it there; null when the layout is not of a ledger. */
  readonly event: EventNamed | null;
  /** The same for people, a sentence a line. */
  readonly explanation: readonly string[];
}

const behaviour: { readonly [Write in LayoutRange['write']]: string } = {
  hardware: 'a write goes to the hardware', emulated: 'a write changes the copy of the VMM', dropped:
    'a write is dropped',
};
const comparison: { readonly [Compare in LayoutRange['compare']]: string } = {
  identical: 'after a migration it has to be the same',
  consistent: 'after a migration it may differ within what its registers allow',
  ignore: 'after a migration it may be anything',
};

/** Who owns a byte, what put it there, what was considered instead. Undefined for an offset outside the space. */
export function explainByte(
  layout: LayoutDocument, offset: number, events: LayoutEvents | null = null,
): ByteExplanation | undefined {
  const at: ByteRange = { offset, length: 1 };
  const range = layout.ranges.find((one) => ByteRange.contains(one, at));
  if (!range || !Number.isInteger(offset)) return undefined;
  // Where bodies overlap, the header that starts later is the one that is there.
  const capability = layout.capabilities.filter((one) => ByteRange.contains(one, at))
    .sort((a, b) => b.offset - a.offset)[0] ?? null;
  const value = layout.space.u8(offset);
  const owner = offset < 0x40 ? 'header' : capability?.name ?? (range.provenance.rule === 'gap' ? 'gap'
    : range.provenance.rule);
  const event = events && (range.provenance.by === 'hardware' ? events.observed : events.decided);
  return { offset, value, owner, ...range.provenance, considered: capability?.decision?.considered ?? [], capability,
    range, event, explanation: linesOf(offset, value, owner, capability, range, event) };
}

function linesOf(
  offset: number, value: number, owner: string, capability: LayoutCapability | null, range: LayoutRange,
  event: EventNamed | null,
): readonly string[] {
  const { provenance } = range;
  const lines = [`0x${offset.toString(16)} reads 0x${value.toString(16).padStart(2, '0')}`];
  lines.push(capability
    ? `it is byte ${offset - capability.offset} of ${owner} (${capability.origin}) at ${ByteRange.show(capability)}`
    : `it belongs to: ${owner}`);
  lines.push(`${ByteRange.show(range)} come from ${provenance.by}, rule ${provenance.rule}`
    + (provenance.note === null ? '' : `: ${provenance.note}`));
  lines.push(`${behaviour[range.write]}; ${comparison[range.compare]}`);
  for (const one of capability?.decision?.cautions ?? []) lines.push(`caution: ${one}`);
  for (const one of capability?.decision?.considered ?? []) lines.push(`considered before, ${one}`);
  if (event) {
    const { type, stream, revision, position, recordedAt } = event;
    lines.push(`put there by ${type}, ${stream}@${revision}, position ${position}, recorded ${recordedAt}`);
  }
  return lines;
}
