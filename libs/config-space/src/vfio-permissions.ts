import { type CapabilitySpace } from './catalogue/capability-row.js';

/** Bits of one byte: those the kernel keeps in a copy of its own, and those a user may write. */
export interface BytePermission {
  readonly virtual: number;
  readonly writable: number;
  /** The kernel looks at a write here and hands some of it to the hardware, whatever the two masks say. */
  readonly mediated?: boolean;
}

/**
 * `[offset, bytes, virtual, writable]` of a register; masks as the register has them, little endian. What is not in a
 * table is read from the hardware and never written (K3).
 */
type Row = readonly [at: number, bytes: 1 | 2 | 4, virtual: number, writable: number, mediated?: 'mediated'];

const all = 0xffffffff;
const next: Row = [0x01, 1, all, 0];
const extendedHeader: Row = [0x00, 4, all, 0];
/** The errors a user may clear, mask and rate; bits 25:12, 5, 4 and 0 of the three uncorrectable registers. */
const uncorrectable = 0x03fff031;
const correctable = 0x0000f1c1;

/** Permission tables of vfio-pci by capability ID (K4); register names are those of the specifications. */
const standardTables: Readonly<Record<number, readonly Row[]>> = {
  // Power management: PME bits are nobody's but the host's; the kernel itself changes the power state.
  0x01: [next, [0x02, 2, 0xf800, 0], [0x04, 1, 0, 0xfc, 'mediated'], [0x05, 1, 0x81, 0x7e],
    [0x06, 2, 0, all]],
  // Vital product data: the kernel does the access for the user.
  0x03: [next, [0x02, 1, all, all], [0x03, 1, all, all, 'mediated'], [0x04, 4, all, all]],
  0x07: [next, [0x02, 2, 0, all], [0x08, 4, 0, all]],
  // PCI Express: Device Control without phantom functions, Device Control 2 without ARI forwarding.
  0x10: [next, [0x08, 1, 0xe0, all], [0x09, 1, 0xf0, 0xfd, 'mediated'], [0x28, 2, 0, 0xffdf]],
  // Advanced features: a function-level reset, which the kernel does and which reads 0 again.
  0x13: [next, [0x04, 1, 0x01, 0x01, 'mediated']],
};

const extendedTables: Readonly<Record<number, readonly Row[]>> = {
  0x01: [extendedHeader, [0x04, 4, 0, uncorrectable], [0x08, 4, 0, uncorrectable], [0x0c, 4, 0, uncorrectable],
    [0x10, 4, 0, correctable], [0x14, 4, 0, correctable], [0x18, 4, 0, 0x00000140]],
  // Power budgeting: the byte the kernel lets through is the first of the data register.
  0x04: [extendedHeader, [0x08, 1, 0, all]],
};

/** The common header: what decides about resources and interrupts is the kernel's. */
const header: readonly Row[] = [
  [0x00, 4, all, 0], [0x04, 2, 0x0400, all, 'mediated'], [0x06, 2, 0x0010, 0], [0x0c, 1, 0, all], [0x0d, 1, 0, all],
  [0x0f, 1, 0, all], ...[0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30].map((at): Row => [at, 4, all, all]),
  [0x34, 1, all, 0], [0x3c, 1, all, all], [0x3d, 1, all, 0],
];

/** MSI is made for each function: control, address and data are virtual, mask and pending bits are the hardware's. */
function msi(control: number): readonly Row[] {
  const is64 = (control & 0x80) !== 0;
  const data = is64 ? 0x0c : 0x08;
  const rows: Row[] = [next, [0x02, 1, all, all, 'mediated'], [0x04, 4, all, all], [data, 2, all, all]];
  if (is64) rows.push([0x08, 4, all, all]);
  if ((control & 0x100) !== 0) rows.push([data + 4, 4, 0, all], [data + 8, 4, 0, all]);
  return rows;
}

export type PermissionTable = ReadonlyMap<number, BytePermission>;

function table(rows: readonly Row[]): PermissionTable {
  return new Map(rows.flatMap(([at, bytes, virtual, writable, mediated]) =>
    Array.from({ length: bytes }, (_, index): [number, BytePermission] => {
      const byte = { virtual: (virtual >>> (8 * index)) & 0xff, writable: (writable >>> (8 * index)) & 0xff };
      return [at + index, mediated === undefined || byte.writable === 0 ? byte : { ...byte, mediated: true }];
    })));
}

const tablesOf = (rows: Readonly<Record<number, readonly Row[]>>): ReadonlyMap<number, PermissionTable> =>
  new Map(Object.entries(rows).map(([id, one]) => [Number(id), table(one)]));

const tables = { standard: tablesOf(standardTables), extended: tablesOf(extendedTables) } as const;

export const headerPermissions = table(header);

/** By byte of the capability; undefined where the kernel has no table for its ID. */
export function permissionsOf(
  space: CapabilitySpace, id: number, msiControl: number | undefined,
): PermissionTable | undefined {
  if (space === 'standard' && id === 0x05 && msiControl !== undefined) return table(msi(msiControl));
  return tables[space].get(id);
}

/** Whether writes to a capability of this ID go to the hardware as they are, its header included (finding 5). */
export function writesThrough(space: CapabilitySpace, id: number, showsDvsec: boolean): boolean {
  return space === 'standard' ? id === 0x09 : id === 0x0b || (showsDvsec && id === 0x23);
}
