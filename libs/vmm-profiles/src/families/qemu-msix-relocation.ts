import { ends, type GuestImage } from '../guest-image.js';
import { type Outcome, starts } from '../prediction.js';
import { walkStandard } from './standard-list.js';

const entryBytes = 16;

/**
 * x-msix-relocation (Q24, observed 12): the table goes behind the BAR, which doubles, or into a BAR of its own.
 * A BAR that reads 0 through vfio has no size; of others the size must be given.
 */
export function relocateMsix(
  image: GuestImage, setting: string, barSizesBytes: readonly number[] | undefined,
): Outcome {
  const msix = walkStandard(image.original, 0xff, false).items.find(({ id }) => id === 0x11);
  if (setting === 'off' || msix === undefined) return starts;
  if (setting === 'auto') return ends('refused', 'Q24', 'x-msix-relocation=auto finds no BAR');
  const bar = Number(setting.slice(3));
  const barAt = 0x10 + 4 * bar;
  const type = image.original.u8(barAt);
  const isUpperHalf = bar > 0 && (image.original.u8(barAt - 4) & 0x07) === 0x04;
  if (isUpperHalf) return ends('refused', 'Q24', 'the BAR is the upper half of another', 'D');
  if ((type & 1) === 1) return ends('refused', 'Q24', 'an I/O BAR cannot hold MSI-X', 'D');
  const sizeBytes = image.original.u32(barAt) === 0 && type === 0 ? 0 : barSizesBytes?.[bar];
  if (sizeBytes === undefined) {
    image.report('bar-size-needed', 'observed 12', 'where MSI-X goes depends on the size of the BAR', msix.offset, 'U');
    image.leaveOpen(msix.offset + 4, 8, 'observed 12');
    return starts;
  }
  const entries = (image.original.u16(msix.offset + 2) & 0x7ff) + 1;
  const structuresBytes = 2 ** Math.ceil(Math.log2(entries * entryBytes + Math.ceil(entries / 64) * 8));
  const tableAt = sizeBytes === 0 ? 0 : Math.max(2 * sizeBytes, 2 * structuresBytes) / 2;
  if (sizeBytes === 0) {
    // A new BAR is prefetchable and, when the next one is free, of 64 bits.
    const nextIsFree = bar < 5 && image.original.u32(barAt + 4) === 0;
    image.put(barAt, 1, nextIsFree ? 0x0c : 0x08, 'observed 12');
  }
  image.put(msix.offset + 4, 4, (tableAt | bar) >>> 0, 'observed 12');
  image.put(msix.offset + 8, 4, ((tableAt + entries * entryBytes) | bar) >>> 0, 'observed 12');
  return starts;
}
