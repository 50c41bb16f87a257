import { type Capability, type Survey } from '@cadastre/config-space';
import { type ToldRoom } from './ground.js';
import { type SyntheticField, type SyntheticName } from './synthetic-capability.js';

/** Where the DVSECs of one kind say that their device leaves room. One row of data. */
export interface DvsecRoomRow {
  /** DVSEC Vendor ID and DVSEC ID. */
  readonly vendorId: number;
  readonly dvsecId: number;
  /** DVSEC Revisions whose registers these are: another one may mean anything. */
  readonly revisions: { readonly least: number; readonly most: number };
  /** The capability the room is for; null for any. */
  readonly name: SyntheticName | null;
  /** Field of the DVSEC with the first byte of the room, counted from the start of config space. */
  readonly offset: SyntheticField;
  /** Field with its length in bytes, or the length itself where it is the same in every device. */
  readonly length: SyntheticField | number;
  /** Who says so. */
  readonly source: string;
}

/**
 * DVSECs that tell of room. No vendor has published one yet, so there is no row: the first one that does is a line of
 * data here, or a finding of that vendor's plugin.
 */
export const knownDvsecRooms: readonly DvsecRoomRow[] = [];

const dvsecCapabilityId = 0x0023;

/** The rooms that the DVSECs of a function tell of. One too short for the registers of its row tells nothing. */
export function roomsTold(survey: Survey, rows: readonly DvsecRoomRow[]): readonly ToldRoom[] {
  if (rows.length === 0) return [];
  return survey.capabilities.filter(({ space, id }) => space === 'extended' && id === dvsecCapabilityId)
    .flatMap((one) => rows.flatMap((row) => roomIn(survey, one, row) ?? []));
}

function roomIn({ space }: Survey, dvsec: Capability, row: DvsecRoomRow): ToldRoom | undefined {
  // PCIe Base Specification, "Designated Vendor-Specific": Header 1 at 04h, Header 2 at 08h.
  // Opaque: the length it tells is none, so nothing behind its headers is known to be its own.
  if (dvsec.opaque || !space.captured(dvsec.offset, dvsec.length)) return undefined;
  const vendorId = space.u16(dvsec.offset + 0x04);
  const revision = space.u16(dvsec.offset + 0x06) & 0xf;
  const dvsecId = space.u16(dvsec.offset + 0x08);
  const { least, most } = row.revisions;
  if (vendorId !== row.vendorId || dvsecId !== row.dvsecId || revision < least || revision > most) return undefined;
  const read = ([at, lsb, width]: SyntheticField): number | undefined =>
    (at + 4 > dvsec.length ? undefined : Math.floor(space.u32(dvsec.offset + at) / 2 ** lsb) % 2 ** width);
  const offset = read(row.offset);
  const length = typeof row.length === 'number' ? row.length : read(row.length);
  if (offset === undefined || length === undefined || length === 0) return undefined;
  const hex = (value: number): string => value.toString(16).padStart(4, '0');
  const source = `DVSEC ${hex(vendorId)}:${hex(dvsecId)} revision ${revision} at 0x${dvsec.offset.toString(16)}`;
  return { by: 'dvsec', source, name: row.name, range: { offset, length } };
}
