import { ByteRange } from '@cadastre/config-space';
import { judgePromises } from './judge-registers.js';
import { type LayoutCapability, type LayoutDocument } from './layout-document.js';
import { isSyntheticName, syntheticCapability, type SyntheticName } from './synthetic-capability.js';
import { type VerdictDraft } from './verdict-draft.js';

/** A capability the source's VMM made up needs a VMM that puts it in the same place, over nothing. */
export function judgeAdded(one: LayoutCapability, draft: VerdictDraft): void {
  const { to, obeys, reasons, knobs, behind } = draft;
  const { space, id, name, offset, length } = one;
  const own = obeys ? undefined
    : to.survey.capabilities.find((other) => other.space === space && other.id === id && other.offset === offset);
  if (own) {
    behind.set(one, own);
    judgePromises(one, own, draft);
    return;
  }
  const taken = takenBy({ offset, length }, draft);
  if (taken) reasons.push({ kind: 'place-taken', space, id, name, offset, ...taken });
  const builder = builderOf(one);
  const { placing } = to.vmm;
  switch (placing.kind) {
    case 'whole-document': return;
    case 'offset-knobs': {
      const knob = builder && placing.knobs[builder];
      if (knob === undefined) reasons.push({ kind: 'vmm-cannot-place-it', space, id, name, offset });
      else knobs.push({ capability: builder ?? name, knob, offset });
      return;
    }
    case 'end-of-space': {
      const there = builder && packedOffset(builder, draft.layout, placing.order);
      if (there === undefined) reasons.push({ kind: 'vmm-cannot-place-it', space, id, name, offset });
      else if (there !== offset) {
        reasons.push({ kind: 'offset-would-move', space, id, name, layout: offset, destination: there });
      }
      return;
    }
    case 'none': reasons.push({ kind: 'vmm-cannot-place-it', space, id, name, offset });
  }
}

/** The row that builds a capability; two vendor-specific ones are told apart by their name. */
function builderOf({ space, id, name }: LayoutCapability): SyntheticName | undefined {
  const byName = name.toLowerCase();
  if (!isSyntheticName(byName)) return undefined;
  const row = syntheticCapability(byName);
  return row.space === space && row.id === id ? byName : undefined;
}

/** Fact C8: sizes summed down from the end, then packed upwards in the VMM's order. */
function packedOffset(
  name: SyntheticName, layout: LayoutDocument, order: readonly SyntheticName[],
): number | undefined {
  const wanted = new Set(layout.capabilities.filter(({ origin }) => origin === 'synthetic' || origin === 'persona')
    .flatMap((one) => builderOf(one) ?? []));
  const packed = order.filter((one) => wanted.has(one));
  const sizes = packed.map((one) => syntheticCapability(one).lengthBytes);
  let at = 0x1000 - sizes.reduce((sum, size) => sum + size, 0);
  for (const [index, one] of packed.entries()) {
    if (one === name) return at;
    at += sizes[index] ?? 0;
  }
  return undefined;
}

/** The first byte of a place that is something in the hardware of the destination. */
function takenBy(place: ByteRange, { to, obeys, behind, hidden }: VerdictDraft):
{ readonly at: number; readonly by: string } | undefined {
  const { owners } = to.survey;
  for (let at = place.offset; at < ByteRange.end(place); at += 1) {
    const { owner, capability } = owners.ownerAt(at);
    if (owner === 'zero') continue;
    // A VMM that obeys documents keeps every access from a capability it hides or shows elsewhere.
    const isKept = capability && obeys && ([...behind].some(([guest, one]) =>
      one === capability && guest.offset !== capability.offset)
      || hidden.some((one) => one.space === capability.space && one.offset === capability.offset));
    if (!isKept) return { at, by: capability?.row.name ?? owner };
  }
  return undefined;
}
