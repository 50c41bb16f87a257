import { type Capability, ConfigSpace, type Survey } from '@cadastre/config-space';
import { type LayoutCapability, type LayoutDocument } from './layout-document.js';
import { type Relocation } from './verdict.js';

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
  for (const { space, origin, backing, offset, length } of layout.capabilities) {
    const isHardware = origin === 'physical' && !(obeys && backing.kind === 'emulated');
    copy(here, offset, offset, isHardware ? (space === 'standard' ? 2 : 4) : length);
  }
  copy(here, 0x34, 0x34, 1);
  // The capabilities bit; the other status bits are the hardware's.
  shown[0x06] = ((shown[0x06] ?? 0) & ~0x10) | ((here[0x06] ?? 0) & 0x10);
  if (layout.extendedList.length === 0 && layout.configSize === 4096) copy(here, 0x100, 0x100, 4);
  return shown;
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
