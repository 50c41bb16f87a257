import { ConfigSpace, type conventionalSizeBytes, extendedSizeBytes, extendedSpaceAt } from '../config-space.js';

/** A standard capability to build; entries are linked in the order given. */
export interface StandardEntry {
  readonly id: number;
  readonly offset: number;
  /** Bytes from +2 on. */
  readonly body?: readonly number[];
  /** Next pointer, where it shall not be the next entry's offset (0 for the last). */
  readonly next?: number;
}

/** An extended capability to build. */
export interface ExtendedEntry extends StandardEntry {
  /** 1 when not given. */
  readonly version?: number;
  /** Bytes from +4 on. */
  readonly body?: readonly number[];
}

/** A config space as a test wants it; what is not given is zero. */
export interface ConfigSpaceParts {
  /** 4096 when not given. */
  readonly size?: typeof conventionalSizeBytes | typeof extendedSizeBytes;
  readonly vendorId?: number;
  readonly deviceId?: number;
  /** Base class, subclass and programming interface: 24 bits. */
  readonly classCode?: number;
  readonly revision?: number;
  /** 0 function, 1 bridge, 2 CardBus bridge; bit 7 multi-function. */
  readonly headerType?: number;
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
  readonly command?: number;
  /** Bit 4 (capabilities list) is set where there are standard entries, unless this says otherwise. */
  readonly status?: number;
  /** Linked from the header's pointer in this order. */
  readonly standard?: readonly StandardEntry[];
  /** Linked from 0x100 in this order. When the first is elsewhere, a null capability at 0x100 leads to it. */
  readonly extended?: readonly ExtendedEntry[];
  /** Extended headers and bodies that nothing leads to; `next` is 0 when not given. */
  readonly unlinked?: readonly ExtendedEntry[];
  /** Raw bytes by offset, written last. */
  readonly bytes?: Readonly<Record<number, readonly number[]>>;
  /** The capture stopped here. */
  readonly capturedBytes?: number;
}

/** Builds a config space out of its parts. A part that does not fit is a bug of the test and throws. */
export function buildConfigSpace(parts: ConfigSpaceParts = {}): ConfigSpace {
  const size = parts.size ?? extendedSizeBytes;
  const bytes = new Uint8Array(size);
  const write = (offset: number, given: readonly number[]): void => {
    if (offset + given.length > size) throw new Error(`${given.length} bytes at ${offset} do not fit into ${size}`);
    bytes.set(given, offset);
  };
  const standard = parts.standard ?? [];
  write(0x00, [...u16(parts.vendorId ?? 0x1af4), ...u16(parts.deviceId ?? 0x1041)]);
  write(0x04, [...u16(parts.command ?? 0), ...u16(parts.status ?? (standard.length > 0 ? 0x10 : 0))]);
  write(0x08, u32(((parts.classCode ?? 0x020000) << 8) | (parts.revision ?? 0)));
  write(0x0e, [parts.headerType ?? 0]);
  if (((parts.headerType ?? 0) & 0x7f) === 0) {
    write(0x2c, [...u16(parts.subsystemVendorId ?? 0), ...u16(parts.subsystemId ?? 0)]);
  }
  write(((parts.headerType ?? 0) & 0x7f) === 2 ? 0x14 : 0x34, [standard[0]?.offset ?? 0]);
  standard.forEach((entry, index) => {
    write(entry.offset, [entry.id, entry.next ?? standard[index + 1]?.offset ?? 0, ...(entry.body ?? [])]);
  });
  const writeExtended = (entry: ExtendedEntry, next: number): void =>
    write(entry.offset, [...u32(extendedHeader(entry.id, entry.version ?? 1, next)), ...(entry.body ?? [])]);
  const extended = parts.extended ?? [];
  const [head] = extended;
  if (head !== undefined && head.offset !== extendedSpaceAt) {
    write(extendedSpaceAt, u32(extendedHeader(0, 0, head.offset)));
  }
  extended.forEach((entry, index) => writeExtended(entry, entry.next ?? extended[index + 1]?.offset ?? 0));
  for (const entry of parts.unlinked ?? []) writeExtended(entry, entry.next ?? 0);
  for (const [offset, given] of Object.entries(parts.bytes ?? {})) write(Number(offset), given);
  const built = ConfigSpace.fromCapture(bytes.subarray(0, parts.capturedBytes ?? size));
  if (!built.ok) throw new Error(`cannot build ${built.refusal.sizeBytes} bytes: ${built.refusal.limit}`);
  return built.value;
}

/** The header DWORD of an extended capability. */
export function extendedHeader(id: number, version: number, next: number): number {
  return (id | (version << 16) | (next << 20)) >>> 0;
}

/** Two bytes, little endian. */
export function u16(value: number): readonly number[] {
  return [value & 0xff, (value >>> 8) & 0xff];
}

/** Four bytes, little endian. */
export function u32(value: number): readonly number[] {
  return [...u16(value), ...u16(value >>> 16)];
}

/** What a test says about a PCI Express capability; the rest is zero. */
export interface ExpressParts {
  readonly offset?: number;
  /** 2 when not given. */
  readonly version?: number;
  /** Device/Port Type: 0 endpoint, 4 root port, 9 root complex integrated endpoint ... */
  readonly portType?: number;
  readonly slot?: boolean;
  /** Maximum link width. */
  readonly lanes?: number;
  /** Device Capabilities 2 bit 21. */
  readonly endEndTlpPrefix?: boolean;
  readonly next?: number;
}

/** A PCI Express capability as a standard entry; at 0x40 when not told otherwise. */
export function express(parts: ExpressParts = {}): StandardEntry {
  const flags = (parts.version ?? 2) | ((parts.portType ?? 0) << 4) | (parts.slot === true ? 0x100 : 0);
  const body = [
    ...u16(flags),
    ...u32(0), ...u32(0), ...u32((parts.lanes ?? 1) << 4 | 1), ...u32(0), ...u32(0), ...u32(0), ...u32(0), ...u32(0),
    ...u32(parts.endEndTlpPrefix === true ? 1 << 21 : 0),
  ];
  // The second half of the structure came with version 2.
  const kept = (parts.version ?? 2) < 2 ? body.slice(0, 0x12) : body;
  const link = parts.next === undefined ? {} : { next: parts.next };
  return { id: 0x10, offset: parts.offset ?? 0x40, body: kept, ...link };
}
