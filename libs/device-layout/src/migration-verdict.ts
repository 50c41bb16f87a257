import {
  ByteRange, type Capability, type CapabilitySpace, ConfigSpace, survey, type Survey,
} from '@cadastre/config-space';
import { integrateExpress, standardPlace, type VmmAbilities } from '@cadastre/vmm-profiles';
import { hexOf, unlikeRuns } from './compare-layouts.js';
import { type IommuFacts } from './iommu-facts.js';
import {
  identityOf, type LayoutCapability, type LayoutDocument, type LayoutIdentity, type LayoutRange,
} from './layout-document.js';
import { isWeaker, promisedFields, readPromise } from './promised-field.js';
import { settingValue } from './placements-of.js';
import { isSyntheticName, syntheticCapability, type SyntheticName } from './synthetic-capability.js';

/** Where a device is to go: the function there, and who shows it. */
export interface Destination {
  readonly survey: Survey;
  /** Null when nobody told: what depends on it is named in `unchecked`. */
  readonly iommu: IommuFacts | null;
  readonly vmm: VmmAbilities;
}

interface Named {
  readonly space: CapabilitySpace;
  readonly id: number;
  readonly name: string;
}

/** Why a layout cannot be shown there. Every number that mattered is here. */
export type VerdictReason =
  | { readonly kind: 'function-unfit'; readonly problem: string }
  /** No state of the device can be loaded there, whatever it shows (fact O4). */
  | { readonly kind: 'vmm-cannot-migrate'; readonly vmm: string }
  | { readonly kind: 'config-size-smaller'; readonly layout: number; readonly destination: number }
  | { readonly kind: 'identity-differs'; readonly field: keyof LayoutIdentity; readonly layout: number | null;
      readonly destination: number | null }
  /** A visible capability without a physical one behind it. */
  | ({ readonly kind: 'capability-missing'; readonly offset: number } & Named)
  /** A guest may have cached `layout`. */
  | ({ readonly kind: 'offset-would-move'; readonly layout: number; readonly destination: number } & Named)
  | ({ readonly kind: 'capability-extra'; readonly offset: number } & Named)
  | ({ readonly kind: 'capability-shape-differs'; readonly member: 'length' | 'version'; readonly offset: number;
      readonly layout: number; readonly destination: number } & Named)
  | ({ readonly kind: 'vmm-hides-it'; readonly offset: number } & Named)
  | ({ readonly kind: 'vmm-cannot-place-it'; readonly offset: number } & Named)
  | ({ readonly kind: 'place-taken'; readonly offset: number; readonly at: number; readonly by: string } & Named)
  | ({ readonly kind: 'register-weaker'; readonly offset: number; readonly field: string; readonly layout: number;
      readonly destination: number } & Named)
  | { readonly kind: 'list-order-differs'; readonly space: CapabilitySpace; readonly layout: readonly number[];
      readonly destination: readonly number[] }
  | { readonly kind: 'bar-differs'; readonly bar: number; readonly layout: number; readonly destination: number }
  | { readonly kind: 'bytes-differ'; readonly offset: number; readonly length: number; readonly why:
      'not-identical' | 'vmm-compares-them'; readonly layout: string; readonly destination: string };

/** Bytes that would differ, and may. */
export interface AllowedDifference extends ByteRange {
  readonly why: 'consistent' | 'shown-by-the-vmm';
  readonly layout: string;
  readonly destination: string;
}

export interface NeededKnob {
  readonly capability: string;
  readonly knob: string;
  /** Where the guest finds it, or null where the knob takes the whole document. */
  readonly offset: number | null;
  /** What the knob is set to; null for the whole document. */
  readonly value: number | null;
}

/** Where the guest's capability is in the hardware of the destination. */
export interface Relocation extends Named {
  readonly physical: number;
  readonly guest: number;
}

export interface Verdict {
  readonly verdict: 'exact' | 'obeys' | 'consistent' | 'cannot';
  readonly reasons: readonly VerdictReason[];
  readonly knobs: readonly NeededKnob[];
  readonly differences: readonly AllowedDifference[];
  readonly relocations: readonly Relocation[];
  /** Physical capabilities of the destination the layout does not show. */
  readonly hidden: readonly (Named & { readonly offset: number })[];
  readonly unchecked: readonly string[];
}

/** A verdict while it is reached. */
interface Draft {
  readonly layout: LayoutDocument;
  readonly to: Destination;
  readonly obeys: boolean;
  /** Physical capabilities of the destination, by the layout's capability they stand behind. */
  readonly behind: Map<LayoutCapability, Capability>;
  readonly reasons: VerdictReason[];
  readonly knobs: NeededKnob[];
  readonly differences: AllowedDifference[];
  readonly hidden: (Named & { readonly offset: number })[];
}

/**
 * Whether a destination can show a layout a guest already runs on, decided before anything is moved: `exact` without
 * doing anything, `obeys` with the knobs named, `consistent` where bytes differ that may, `cannot` with every reason.
 */
export function migrationVerdict(layout: LayoutDocument, to: Destination): Verdict {
  const unfit = whyUnfit(layout, to.survey);
  if (unfit) return verdictOf({ ...emptyDraft(layout, to), reasons: [unfit] });
  const draft = emptyDraft(layout, asPresented(layout, to));
  if (to.vmm.migration === 'refuses-to-save') {
    draft.reasons.push({ kind: 'vmm-cannot-migrate', vmm: to.vmm.profile });
  }
  judgeIdentity(draft);
  for (const one of layout.capabilities) {
    if (one.origin === 'physical') judgePhysical(one, draft);
  }
  judgeExtras(draft);
  judgeOrder(draft);
  for (const one of layout.capabilities) {
    if (one.origin === 'synthetic' || one.origin === 'persona') judgeSynthetic(one, draft);
  }
  judgeBytes(draft);
  return verdictOf(draft);
}

/** The destination as it is for this layout: what its VMM hides and makes there, and what that does to the function. */
function asPresented(layout: LayoutDocument, to: Destination): Destination {
  const express = to.survey.capabilities.find(({ space, id }) => space === 'standard' && id === 0x10);
  const managed = to.survey.capabilities.some(({ space, id }) => space === 'standard' && id === 0x01);
  // Fact C4.
  if (to.vmm.onlyWithPm && !(express && managed)) {
    return { ...to, vmm: { ...to.vmm, placing: 'none', makes: [], hides: [], implicitOffset: null } };
  }
  // Fact C18: the old Cloud Hypervisor has forgotten what it hid.
  if (to.vmm.migration === 'loses-patches') return { ...to, vmm: { ...to.vmm, hides: [] } };
  if (!to.vmm.integratesWithPasid || !hasPasid(layout) || !express) return to;
  const bytes = Uint8Array.from(to.survey.space.toBytes());
  integrateExpress(new DataView(bytes.buffer), express.offset);
  const space = ConfigSpace.from(bytes);
  if (!space.ok) throw new RangeError(`a destination of ${bytes.length} bytes`);
  return { ...to, survey: survey(space.value) };
}

function emptyDraft(layout: LayoutDocument, to: Destination): Draft {
  return {
    layout, to, obeys: to.vmm.placing === 'whole-document',
    behind: new Map(), reasons: [], knobs: [], differences: [], hidden: [],
  };
}

function verdictOf(draft: Draft): Verdict {
  const { layout, reasons, knobs, differences, hidden } = draft;
  const relocations = [...draft.behind].filter(([guest, physical]) => guest.offset !== physical.offset)
    .map(([{ space, id, name, offset }, physical]) => ({ space, id, name, physical: physical.offset, guest: offset }));
  const shown = differences.some(({ why }) => why === 'shown-by-the-vmm');
  const needsDocument = shown || relocations.length > 0 || hidden.length > 0
    || layout.capabilities.some(({ origin }) => origin === 'synthetic' || origin === 'persona');
  if (draft.obeys && needsDocument) knobs.push({ capability: '*', knob: 'layout', offset: null, value: null });
  const verdict = reasons.length > 0 ? 'cannot'
    : differences.some(({ why }) => why === 'consistent') ? 'consistent' : knobs.length > 0 ? 'obeys' : 'exact';
  return { verdict, reasons, knobs, differences, relocations, hidden, unchecked: uncheckedIn(draft) };
}

function hasPasid({ capabilities }: LayoutDocument): boolean {
  return capabilities.some(({ space, id }) => space === 'extended' && id === 0x1b);
}

/** What the verdict depends on and nobody told. */
function uncheckedIn({ layout, to: { iommu, vmm } }: Draft): readonly string[] {
  return [
    ...(iommu === null && hasPasid(layout) ? ['iommu'] : []),
    ...(vmm.migration === 'unknown' ? [`how ${vmm.profile} loads a device`] : []),
    // Where the vIOMMU offers PASID, these make one that the layout does not have.
    ...(vmm.implicitOffset !== null && !hasPasid(layout) && iommu?.maxPasidLog2 !== 0
      ? [`PASID at 0x${vmm.implicitOffset.toString(16)}, if the vIOMMU offers it`] : []),
  ];
}

function whyUnfit(layout: LayoutDocument, { space, findings }: Survey): VerdictReason | undefined {
  if (!space.isWhole) return { kind: 'function-unfit', problem: `only ${space.capturedBytes} bytes were captured` };
  if (findings.some((one) => one.kind === 'all-ones' && one.offset === 0)) {
    return { kind: 'function-unfit', problem: 'the function does not answer' };
  }
  if (space.size >= layout.configSize) return undefined;
  return { kind: 'config-size-smaller', layout: layout.configSize, destination: space.size };
}

/** What makes a function another kind of function, whatever its IDs are made to say. */
const kindFields: readonly (keyof LayoutIdentity)[] = ['vendorId', 'classCode', 'headerType'];
/** Bits of a BAR that say what it is. PCI Local Bus Specification, "Base Address Registers". */
const barKindBits = (bar: number): number => (bar % 2 === 1 ? 0x3 : 0xf);

function judgeIdentity({ layout, to, obeys, reasons }: Draft): void {
  const there = identityOf(to.survey.space);
  for (const field of Object.keys(there) as (keyof LayoutIdentity)[]) {
    if (layout.identity[field] === there[field] || (obeys && !kindFields.includes(field))) continue;
    reasons.push({ kind: 'identity-differs', field, layout: layout.identity[field], destination: there[field] });
  }
  if ((layout.identity.headerType & 0x7f) !== 0) return;
  for (let bar = 0; bar < 6; bar += 1) {
    const [ours, theirs] = [layout.space.u32(0x10 + 4 * bar), to.survey.space.u32(0x10 + 4 * bar)];
    const [one, other] = [ours & barKindBits(ours), theirs & barKindBits(theirs)];
    if (one !== other) reasons.push({ kind: 'bar-differs', bar, layout: one, destination: other });
    // The upper half of a 64-bit BAR is an address, and has no kind.
    if ((ours & 0x7) === 0x4) bar += 1;
  }
}

/** A capability the hardware had at the source needs one of its kind behind it. */
function judgePhysical(one: LayoutCapability, draft: Draft): void {
  const { layout, to, obeys, reasons, behind } = draft;
  const { space, id, name, offset } = one;
  if (space === 'extended' && to.vmm.hides.includes(id) && !obeys) {
    reasons.push({ kind: 'vmm-hides-it', space, id, name, offset });
    return;
  }
  const alike = layout.capabilities.filter((other) =>
    other.origin === 'physical' && other.space === space && other.id === id);
  const candidates = to.survey.capabilities.filter((other) => other.space === space && other.id === id);
  const there = candidates.find((other) => other.offset === offset) ?? candidates[alike.indexOf(one)];
  if (!there) {
    reasons.push({ kind: 'capability-missing', space, id, name, offset });
    return;
  }
  behind.set(one, there);
  if (there.offset !== offset && !obeys) {
    reasons.push({ kind: 'offset-would-move', space, id, name, layout: offset, destination: there.offset });
    return;
  }
  if (there.length < one.length || (there.length > one.length && !obeys)) {
    reasons.push({ kind: 'capability-shape-differs', space, id, name, member: 'length', offset, layout: one.length,
      destination: there.length });
  }
  if (there.version !== one.version && !obeys) {
    reasons.push({ kind: 'capability-shape-differs', space, id, name, member: 'version', offset, layout: one.version,
      destination: there.version });
  }
  judgePromises(one, there, draft);
}

function judgePromises(one: LayoutCapability, there: Capability, { layout, to, reasons }: Draft): void {
  const { space, id, name, offset } = one;
  for (const field of promisedFields(space, id, Math.min(one.length, there.length))) {
    const promise = readPromise(layout.space, offset, field);
    const given = readPromise(to.survey.space, there.offset, field);
    if (!isWeaker(field, promise, given)) continue;
    reasons.push({ kind: 'register-weaker', space, id, name, offset, field: field.name, layout: promise,
      destination: given });
  }
}

/** What the destination lists and the layout does not show. */
function judgeExtras({ layout, to, obeys, behind, reasons, hidden }: Draft): void {
  const used = new Set(behind.values());
  for (const one of to.survey.capabilities) {
    if (used.has(one)) continue;
    const { space, id, offset, row: { name } } = one;
    const isShown = layout.capabilities.some((other) =>
      other.space === space && other.id === id && other.offset === offset);
    if (isShown && !obeys) continue;
    if (obeys || (space === 'extended' && to.vmm.hides.includes(id))) hidden.push({ space, id, name, offset });
    else if (!(id === 0 && offset === 0x100)) reasons.push({ kind: 'capability-extra', space, id, name, offset });
  }
}

/** The order in which a walk meets what both have. */
function judgeOrder({ layout, to, obeys, reasons }: Draft): void {
  if (obeys) return;
  for (const space of ['standard', 'extended'] as const) {
    const ours = space === 'standard' ? layout.standardList : layout.extendedList;
    const theirs = to.survey.capabilities.filter((one) => one.space === space).map(({ offset }) => offset);
    const both = ours.filter((offset) => theirs.includes(offset));
    const there = theirs.filter((offset) => ours.includes(offset));
    if (both.some((offset, index) => offset !== there[index])) {
      reasons.push({ kind: 'list-order-differs', space, layout: both, destination: there });
    }
  }
}

/** A capability the source's VMM made up needs a VMM that puts it in the same place, over nothing. */
function judgeSynthetic(one: LayoutCapability, draft: Draft): void {
  const { to, obeys, reasons, behind } = draft;
  const { space, id, name, offset, length } = one;
  judgeIommu(one, draft);
  const own = obeys ? undefined
    : to.survey.capabilities.find((other) => other.space === space && other.id === id && other.offset === offset);
  if (own) {
    behind.set(one, own);
    judgePromises(one, own, draft);
    return;
  }
  const taken = takenBy({ offset, length }, draft);
  if (taken) reasons.push({ kind: 'place-taken', space, id, name, offset, ...taken });
  if (!obeys) judgePlace(one, draft);
}

/** Whether the VMM puts it there, and what it is told. */
function judgePlace(one: LayoutCapability, { layout, to, reasons, knobs }: Draft): void {
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
    reasons.push({ kind: 'vmm-cannot-place-it', space, id, name, offset });
  } else if (setting !== null) {
    knobs.push({ capability: builder ?? name, knob: setting, offset, value: offset });
  } else {
    const place = packedOffset(id, layout, makes);
    if (place !== offset) reasons.push(placeDiffers(one, place));
  }
}

function placeDiffers({ space, id, name, offset }: LayoutCapability, there: number | undefined): VerdictReason {
  return there === undefined ? { kind: 'vmm-cannot-place-it', space, id, name, offset }
    : { kind: 'offset-would-move', space, id, name, layout: offset, destination: there };
}

function startsOf({ capabilities }: Survey): readonly number[] {
  return capabilities.filter(({ space }) => space === 'standard').map(({ offset }) => offset);
}

function judgeIommu({ space, id, name, offset, length }: LayoutCapability, { layout, to, reasons }: Draft): void {
  if (space !== 'extended' || !to.iommu) return;
  const weaker = (field: string, promise: number, given: number): void => {
    if (given < promise) {
      reasons.push({ kind: 'register-weaker', space, id, name, offset, field, layout: promise, destination: given });
    }
  };
  if (id === 0x1b) {
    const { exec, priv, maxPasidLog2 } = to.iommu;
    const given: Readonly<Record<string, number>> = {
      executeSupported: exec ? 1 : 0, privilegedSupported: priv ? 1 : 0, maxPasidWidth: maxPasidLog2 };
    for (const field of promisedFields(space, id, length)) {
      weaker(`${field.name} of the IOMMU`, readPromise(layout.space, offset, field), given[field.name] ?? 0);
    }
  }
  if (id === 0x0f || id === 0x13) weaker('atsSupported of the IOMMU', 1, to.iommu.atsSupported ? 1 : 0);
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

/** The first byte of a place that is something in the hardware of the destination. */
function takenBy(place: ByteRange, { to, obeys, behind, hidden }: Draft):
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

/** What the guest would read there: the hardware, with what the VMM puts over it. */
export function predictedBytes(
  layout: LayoutDocument, survey: Survey, behind: Iterable<readonly [LayoutCapability, Capability]>, obeys: boolean,
): Uint8Array {
  const there = survey.space.toBytes();
  const shown = there.slice(0, layout.configSize);
  const here = layout.space.toBytes();
  const copy = (from: Uint8Array, source: number, target: number, length: number): void =>
    shown.set(from.subarray(source, source + length), target);
  for (const { provenance, offset, length } of obeys ? layout.ranges : []) {
    if (provenance.by === 'operator') copy(here, offset, offset, length);
  }
  for (const [guest, physical] of behind) {
    if (guest.offset !== physical.offset) copy(there, physical.offset, guest.offset, guest.length);
  }
  for (const { space, origin, offset, length } of layout.capabilities) {
    copy(here, offset, offset, origin === 'physical' ? (space === 'standard' ? 2 : 4) : length);
  }
  copy(here, 0x34, 0x34, 1);
  // The capabilities bit; the other status bits are the hardware's.
  shown[0x06] = ((shown[0x06] ?? 0) & ~0x10) | ((here[0x06] ?? 0) & 0x10);
  if (layout.extendedList.length === 0 && layout.configSize === 4096) copy(here, 0x100, 0x100, 4);
  return shown;
}

const identityRanges: readonly ByteRange[] = [
  { offset: 0x00, length: 4 }, { offset: 0x08, length: 4 }, { offset: 0x0e, length: 1 }, { offset: 0x2c, length: 4 }];

function judgeBytes(draft: Draft): void {
  const { layout, to, obeys, behind } = draft;
  const shown = predictedBytes(layout, to.survey, behind, obeys);
  const here = layout.space;
  for (const range of layout.ranges) {
    for (const run of unlikeRuns(range, (at) => here.u8(at) === shown[at])) {
      // Identity is judged field by field.
      if (!obeys && identityRanges.some((one) => ByteRange.contains(one, run))) continue;
      judgeRun(run, range, shown, draft);
    }
  }
}

function judgeRun(
  run: ByteRange, range: LayoutRange, shown: Uint8Array, { layout, to, obeys, reasons, differences }: Draft,
): void {
  const { offset, length } = run;
  const bytes = {
    layout: hexOf(offset, length, (at) => layout.space.u8(at)),
    destination: hexOf(offset, length, (at) => shown[at] ?? 0),
  };
  const { migration, exemptsVendorBytes } = to.vmm;
  const comparesBytes = migration === 'compares-bytes';
  const isVendors = range.provenance.rule === 'VNDR';
  const isGap = range.provenance.rule === 'gap' && range.provenance.by === 'hardware';
  if (range.compare === 'identical' && obeys) {
    differences.push({ offset, length, why: 'shown-by-the-vmm', ...bytes });
  } else if (range.compare === 'identical') {
    reasons.push({ kind: 'bytes-differ', offset, length, why: 'not-identical', ...bytes });
  } else if (comparesBytes && (isGap || (range.compare === 'consistent' && !(isVendors && exemptsVendorBytes)))) {
    reasons.push({ kind: 'bytes-differ', offset, length, why: 'vmm-compares-them', ...bytes });
  } else if (range.compare === 'consistent') differences.push({ offset, length, why: 'consistent', ...bytes });
}

/** The bytes of a verdict's destination as the guest would read them, for a layout it can show. */
export function shownSpace(layout: LayoutDocument, survey: Survey, relocations: readonly Relocation[]): ConfigSpace {
  const behind = layout.capabilities.filter(({ origin }) => origin === 'physical').flatMap((guest) => {
    const moved = relocations.find((one) => one.space === guest.space && one.guest === guest.offset);
    const physical = survey.capabilities.find((one) =>
      one.space === guest.space && one.offset === (moved?.physical ?? guest.offset));
    return physical ? [[guest, physical] as const] : [];
  });
  const bytes = predictedBytes(layout, survey, behind, true);
  for (const { offset, length, compare } of layout.ranges) {
    if (compare !== 'identical') continue;
    for (let at = offset; at < offset + length; at += 1) bytes[at] = layout.space.u8(at);
  }
  const space = ConfigSpace.from(bytes);
  if (!space.ok) throw new RangeError(`a layout of ${bytes.length} bytes`);
  return space.value;
}
