import { type ByteRange, type ConfigSpace } from '@cadastre/config-space';
import { type BaseAddress, baseAddresses, type BarSize, barSizes } from './base-address.js';
import { type UnshownBecause } from './verdict.js';
import { type VerdictDraft } from './verdict-draft.js';

/** BARs a header has, by its type: 0 function, 1 bridge. */
const headerBars: Readonly<Record<number, number>> = { 0: 6, 1: 2 };
/** VF BARs in an SR-IOV capability. PCIe Base Specification, "SR-IOV Extended Capability". */
const vfBars = { at: 0x24, count: 6 } as const;

/** BARs of two functions that are not of one kind. */
export function unlikeBars(one: ConfigSpace, other: ConfigSpace): readonly UnlikeBar[] {
  return unlikeKinds('function', barsOf(one), barsOf(other));
}

/** BARs of the VFs of two functions, by their SR-IOV capabilities, that are not of one kind. */
export function unlikeVfBars(
  one: ConfigSpace, at: ByteRange, other: ConfigSpace, otherAt: ByteRange,
): readonly UnlikeBar[] {
  if (Math.min(at.length, otherAt.length) < vfBars.at + 4 * vfBars.count) return [];
  return unlikeKinds('vf', baseAddresses(one, at.offset + vfBars.at, vfBars.count),
    baseAddresses(other, otherAt.offset + vfBars.at, vfBars.count));
}

type UnlikeBar = Extract<UnshownBecause, { kind: 'bar-differs' }>;

function barsOf(space: ConfigSpace): readonly BaseAddress[] {
  return baseAddresses(space, 0x10, headerBars[space.u8(0x0e) & 0x7f] ?? 0);
}

/** What the BARs of the function are and those of its VFs, and how large, where config space tells. */
export function judgeBars({ layout, to: { survey }, obeys, behind, reasons, untoldBars }: VerdictDraft): void {
  reasons.push(...unlikeBars(layout.space, survey.space));
  for (const [guest, physical] of behind) {
    if (guest.space !== 'extended' || guest.id !== 0x10) continue;
    reasons.push(...unlikeVfBars(layout.space, guest, survey.space, physical));
  }
  const [here, there] = [barSizes(layout.space, layout.capabilities), barSizes(survey.space, survey.capabilities)];
  for (const { of, bar, bytes } of here) {
    const given = sizeOf(there, of, bar);
    if (given === undefined || (obeys ? given >= bytes : given === bytes)) continue;
    reasons.push({ kind: 'bar-size-differs', of, bar, layout: bytes, destination: given });
  }
  const isTold = (bar: number): boolean => [here, there].every((told) => sizeOf(told, 'function', bar) !== undefined);
  for (const { bar, isUsed } of barsOf(layout.space)) if (isUsed && !isTold(bar)) untoldBars.push(bar);
}

function sizeOf(told: readonly BarSize[], of: BarSize['of'], bar: number): number | undefined {
  return told.find((one) => one.of === of && one.bar === bar)?.bytes;
}

function unlikeKinds(
  of: UnlikeBar['of'], ours: readonly BaseAddress[], theirs: readonly BaseAddress[],
): readonly UnlikeBar[] {
  return ours.flatMap(({ bar, kind }) => {
    const other = theirs.find((one) => one.bar === bar);
    return other === undefined || other.kind === kind ? []
      : [{ kind: 'bar-differs', of, bar, layout: kind, destination: other.kind }];
  });
}
