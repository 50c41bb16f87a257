import { ends, type GuestImage } from '../guest-image.js';
import { type Outcome } from '../prediction.js';
import { type Stage } from '../vmm-profile.js';
import { type StandardItem } from './standard-list.js';

/** Where QEMU has MSI-X once it looked at the device, and moved it if it was told to. */
export interface GuestMsix {
  readonly entries: number;
  readonly table: Place;
  readonly pba: Place;
}

interface Place {
  readonly bar: number;
  readonly offset: number;
  /** Bytes of that BAR of the guest's; undefined when nobody told, 0 where there is none. */
  readonly barBytes: number | undefined;
}

const entryBytes = 16;
const barsMax = 6;
const gigabyte = 0x40000000;
const hostPageBytes = 4096;

const pbaBytes = (entries: number): number => Math.ceil(entries / 64) * 8;

/** A BAR of the function as the VMM finds it. */
interface Bar {
  readonly isIo: boolean;
  readonly is64: boolean;
  /** Undefined where it is not known; 0 where there is no BAR, or the upper half of one. */
  readonly bytes: number | undefined;
}

/**
 * Reads the BARs in order, so that the upper half of one is not taken for another. A BAR without resources of the host
 * reads 0 through vfio.
 */
function barsOf({ original }: GuestImage, sizes: readonly number[] | undefined): readonly Bar[] {
  const bars: Bar[] = [];
  for (let index = 0; index < barsMax; index += 1) {
    const low = original.u32(0x10 + 4 * index);
    const isIo = (low & 1) === 1;
    const is64 = !isIo && (low & 4) !== 0;
    const bytes = sizes?.[index] ?? (low === 0 ? 0 : undefined);
    bars.push(bytes === 0 ? { isIo: false, is64: false, bytes } : { isIo, is64, bytes });
    if (bytes === 0 || !is64 || index === barsMax - 1) continue;
    bars.push({ isIo: false, is64: false, bytes: 0 });
    index += 1;
  }
  return bars;
}

/** What QEMU asks before it builds any list: where MSI-X is, and with `x-msix-relocation` where it goes (Q24). */
export function takeMsix(
  image: GuestImage, stage: Stage, items: readonly StandardItem[],
): GuestMsix | Outcome | undefined {
  const { original } = image;
  const at = items.find(({ id }) => id === 0x11)?.offset;
  if (at === undefined || at + 12 > original.size) return undefined;
  const sizes = stage.host.barSizesBytes;
  const entries = (original.u16(at + 2) & 0x7ff) + 1;
  const placeAt = (register: number): Place => {
    const value = original.u32(register);
    const bar = value & 7;
    return { bar, offset: (value & ~7) >>> 0, barBytes: sizes === undefined ? undefined : sizes[bar] ?? 0 };
  };
  const [table, pba] = [placeAt(at + 4), placeAt(at + 8)];
  const setting = stage.settings['x-msix-relocation'] ?? 'off';
  if (setting !== 'off') return relocate(image, at, entries, setting, barsOf(image, sizes), stage);
  if (pba.bar < barsMax && pba.barBytes !== undefined && pba.offset >= pba.barBytes) {
    return ends('refused', 'reading P2', `the MSI-X PBA is outside BAR ${pba.bar} of ${pba.barBytes} bytes`);
  }
  return { entries, table, pba };
}

/** What the emulation of MSI-X checks when the capability is added (reading P2). */
export function checkMsix({ entries, table, pba }: GuestMsix): Outcome | undefined {
  if (table.bar >= barsMax || pba.bar >= barsMax) {
    return ends('refused', 'reading P2', `MSI-X in BAR ${Math.max(table.bar, pba.bar)}, and there are BARs 0 to 5`);
  }
  const [tableEnd, pbaEnd] = [table.offset + entries * entryBytes, pba.offset + pbaBytes(entries)];
  if (table.bar === pba.bar && table.offset < pbaEnd && pba.offset < tableEnd) {
    return ends('refused', 'reading P2', `MSI-X table and PBA overlap in BAR ${table.bar}`);
  }
  if (table.barBytes === 0) return ends('aborts', 'reading P2', `MSI-X is in BAR ${table.bar}, and there is none`);
  for (const [what, { bar, barBytes }, end] of [['table', table, tableEnd], ['PBA', pba, pbaEnd]] as const) {
    if (barBytes === undefined || end <= barBytes) continue;
    return ends('refused', 'reading P2', `the MSI-X ${what} does not fit into BAR ${bar} of ${barBytes} bytes`);
  }
  return undefined;
}

/**
 * x-msix-relocation (Q24, observed 12, reading P5): the table goes behind the BAR, which doubles, or into one of its
 * own. Whole pages of the host are taken, so that nothing else of the device shares one.
 */
function relocate(
  image: GuestImage, at: number, entries: number, setting: string, bars: readonly Bar[], { host }: Stage,
): GuestMsix | Outcome | undefined {
  if (setting === 'auto') return ends('refused', 'Q24', 'x-msix-relocation=auto finds no BAR');
  const bar = Number(setting.slice(3));
  const target = bars[bar] ?? { isIo: false, is64: false, bytes: 0 };
  if (target.isIo) return ends('refused', 'reading P5', `BAR ${bar} is of I/O ports and cannot hold MSI-X`);
  if (target.bytes === 0 && bars[bar - 1]?.is64 === true) {
    return ends('refused', 'reading P5', `BAR ${bar} is the upper half of BAR ${bar - 1}`);
  }
  if (target.bytes === undefined) {
    image.report('bar-size-needed', 'observed 12', 'where MSI-X goes depends on the size of the BAR', at, 'U');
    image.leaveOpen(at + 4, 8, 'observed 12');
    return undefined;
  }
  if (target.bytes > gigabyte && !target.is64) {
    return ends('refused', 'reading P5', `BAR ${bar} of 32 bits and ${target.bytes} bytes cannot double`);
  }
  const pageBytes = host.pageBytes ?? hostPageBytes;
  const pages = Math.ceil((entries * entryBytes + pbaBytes(entries)) / pageBytes);
  const structuresBytes = 2 ** Math.ceil(Math.log2(pages * pageBytes));
  const barBytes = target.bytes === 0 ? structuresBytes : 2 * Math.max(target.bytes, structuresBytes);
  const offset = target.bytes === 0 ? 0 : barBytes / 2;
  if (target.bytes === 0) {
    // A new BAR is prefetchable and, when the next one is free, of 64 bits.
    const nextIsFree = bar < barsMax - 1 && bars[bar + 1]?.bytes === 0;
    image.put(0x10 + 4 * bar, 1, nextIsFree ? 0x0c : 0x08, 'observed 12');
  }
  const pbaAt = offset + entries * entryBytes;
  image.put(at + 4, 4, (offset | bar) >>> 0, 'observed 12');
  image.put(at + 8, 4, (pbaAt | bar) >>> 0, 'observed 12');
  return { entries, table: { bar, offset, barBytes }, pba: { bar, offset: pbaAt, barBytes } };
}
