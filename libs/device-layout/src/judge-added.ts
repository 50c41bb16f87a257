import { type Survey } from '@cadastre/config-space';
import { standardPlace } from '@cadastre/vmm-profiles';
import { judgePlaceOf } from './judge-places.js';
import { judgePromises } from './judge-registers.js';
import { type LayoutCapability, type LayoutDocument } from './layout-document.js';
import { settingValue } from './placements-of.js';
import { isSyntheticName, syntheticCapability, type SyntheticName } from './synthetic-capability.js';
import { type Destination, type UnshownBecause } from './verdict.js';
import { type VerdictDraft } from './verdict-draft.js';

/** A capability the source's VMM made up needs a VMM that puts it in the same place, over nothing. */
export function judgeAdded(one: LayoutCapability, draft: VerdictDraft): void {
  const { to, obeys, behind } = draft;
  const { space, id, offset } = one;
  const own = obeys ? undefined
    : to.survey.capabilities.find((other) => other.space === space && other.id === id && other.offset === offset);
  if (own) {
    behind.set(one, own);
    judgePromises(one, own, draft);
    return;
  }
  judgePlaceOf(one, draft);
  if (!obeys) judgePlace(one, draft);
}

/** Whether the VMM puts it there, and what it is told. */
function judgePlace(one: LayoutCapability, { layout, to, reasons, knobs }: VerdictDraft): void {
  const { space, id, name, offset } = one;
  const { placing, makes, makesStandard, setting } = to.vmm;
  const builder = builderOf(one);
  const made = space === 'standard' ? makesStandard.find((row) => row.name === builder) : undefined;
  if (made) {
    const place = standardPlace(made, startsOf(to.survey));
    if (place !== offset) reasons.push(placeDiffers(one, place));
    else if (made.setting !== null) {
      knobs.push({ capability: made.name, knob: made.setting, offset, value: settingValue(layout.space, one) });
    }
  } else if (space === 'standard' || makes?.includes(id) !== true || placing === 'not-known') {
    reasons.push(placeDiffers(one, elsewhere(one, to)));
  } else if (setting !== null) {
    knobs.push({ capability: builder ?? name, knob: setting, offset, value: offset });
  } else {
    const place = packedOffset(id, layout, makes);
    if (place !== offset) reasons.push(placeDiffers(one, place));
  }
}

function placeDiffers({ space, id, name, offset }: LayoutCapability, there: number | undefined): UnshownBecause {
  return there === undefined ? { kind: 'vmm-cannot-place-it', space, id, name, offset }
    : { kind: 'offset-would-move', space, id, name, layout: offset, destination: there };
}

/** Where a guest there finds the only one of its kind; two vendor-specific ones are not one. */
function elsewhere({ space, id, offset }: LayoutCapability, { shown, survey }: Destination): number | undefined {
  if (!shown || space === 'standard') return undefined;
  const alike = survey.capabilities.filter((other) => other.space === space && other.id === id);
  return alike.length === 1 && alike[0]?.offset !== offset ? alike[0]?.offset : undefined;
}

function startsOf({ capabilities }: Survey): readonly number[] {
  return capabilities.filter(({ space }) => space === 'standard').map(({ offset }) => offset);
}

/** The row that builds a capability; two vendor-specific ones are told apart by their name. */
function builderOf({ space, id, name }: LayoutCapability): SyntheticName | undefined {
  const byName = name.toLowerCase();
  if (!isSyntheticName(byName)) return undefined;
  const row = syntheticCapability(byName);
  return row.space === space && row.id === id ? byName : undefined;
}

/** Fact C8: sizes summed down from the end, then packed upwards in the VMM's order. */
function packedOffset(id: number, layout: LayoutDocument, order: readonly number[]): number | undefined {
  const made = layout.capabilities.filter(({ space, origin }) =>
    space === 'extended' && (origin === 'synthetic' || origin === 'persona'));
  const packed = order.flatMap((one) => made.find((other) => other.id === one) ?? []);
  let at = 0x1000 - packed.reduce((sum, { length }) => sum + length, 0);
  for (const one of packed) {
    if (one.id === id) return at;
    at += one.length;
  }
  return undefined;
}
