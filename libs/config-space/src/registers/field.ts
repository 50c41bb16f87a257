import { type LengthTerm } from '../catalogue/length-term.js';

/** Access attributes as the PCIe Base Specification spells them ("Configuration Register Types"). */
export type Access = 'RO' | 'ROS' | 'RW' | 'RWS' | 'RW1C' | 'RW1CS' | 'HwInit' | 'RsvdP' | 'RsvdZ';

/**
 * One register field: register at, register bytes, lowest bit, number of bits, access. Offsets count from the start
 * of the block the field is in. A field no source confirms says so.
 */
export type Field =
  | readonly [registerAt: number, registerBytes: 1 | 2 | 4, lsb: number, width: number, access: Access]
  | readonly [registerAt: number, registerBytes: 1 | 2 | 4, lsb: number, width: number, access: Access, 'UNCONFIRMED'];

/** Registers that stand together: once, only in some functions, or once for every record of a table. */
export interface RegisterBlock {
  /** Name of the register, or of the record. */
  readonly name: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** Where the block starts, from the start of the capability (of the record, inside one); 0 when not given. */
  readonly from?: LengthTerm;
  /** The block exists where this is not zero. */
  readonly when?: LengthTerm;
  /** Records there are: the block's name gets their index. Each takes `size` bytes. */
  readonly count?: LengthTerm;
  readonly size?: LengthTerm;
  /** Tables inside each record. */
  readonly inside?: readonly RegisterBlock[];
}
