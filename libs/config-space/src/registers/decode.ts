import { type Capability, occupiedEnd } from '../capability.js';
import { evaluateLength, type LengthContext, type LengthTerm } from '../catalogue/length-term.js';
import { type ConfigSpace } from '../config-space.js';
import { readHeader } from '../header.js';
import { walkStandardCapabilities } from '../walk-capabilities.js';
import { type Access, type Field, type RegisterBlock } from './field.js';
import { registerTables } from './register-tables.js';

/** One field of one register, with what it reads. */
export interface DecodedField {
  /** The register, or the record of a table with its index: `bar[1]`, `selectiveStream[0].addressAssociation[2]`. */
  readonly register: string;
  readonly name: string;
  /** Offset of the register in config space. */
  readonly at: number;
  readonly bytes: 1 | 2 | 4;
  readonly lsb: number;
  readonly width: number;
  readonly access: Access;
  readonly value: number;
  /** Whether a source confirms that the field exists and means this. */
  readonly confirmed: boolean;
}

/** Fields of one capability: more than its structure has bits can only be a lie of a count. */
const fieldsMax = 4096 * 8;

/**
 * The registers of a capability, in the order of its table; none for an ID without a table. A register that was not
 * captured, or lies behind the capability's own end, is left out: nothing is read from a neighbour's bytes.
 */
export function decode(space: ConfigSpace, capability: Capability): readonly DecodedField[] {
  const blocks = registerTables[capability.space][capability.id];
  if (blocks === undefined) return [];
  const express = walkStandardCapabilities(space, readHeader(space), []).find(({ id }) => id === 0x10);
  const context = { space, at: capability.offset, version: capability.version, expressAt: express?.offset };
  const decoding: Decoding = { context, end: Math.min(occupiedEnd(capability), space.size), fields: [] };
  for (const block of blocks) decodeBlock(decoding, block, capability.offset, '');
  return decoding.fields;
}

interface Decoding {
  readonly context: LengthContext;
  /** First byte behind the capability. */
  readonly end: number;
  readonly fields: DecodedField[];
}

/** Reads a block, or each record of a table, that counts its offsets from `origin`. */
function decodeBlock(decoding: Decoding, block: RegisterBlock, origin: number, prefix: string): void {
  const number = (term: LengthTerm | undefined, otherwise: number): number => {
    const value = term === undefined ? otherwise : evaluateLength(term, decoding.context, origin);
    return value === undefined || Number.isNaN(value) ? 0 : value;
  };
  if (number(block.when, 1) === 0) return;
  const first = origin + number(block.from, 0);
  if (block.count === undefined) {
    readFields(decoding, block, first, `${prefix}${block.name}`);
    return;
  }
  const count = number(block.count, 0);
  let at = first;
  for (let index = 0; index < count && at < decoding.end; index += 1) {
    const name = `${prefix}${block.name}[${index}]`;
    readFields(decoding, block, at, name);
    for (const table of block.inside ?? []) decodeBlock(decoding, table, at, `${name}.`);
    const size = block.size === undefined ? 0 : evaluateLength(block.size, decoding.context, at);
    // A record of no size, or whose size was not captured, has no successor.
    if (size === undefined || Number.isNaN(size) || size === 0) return;
    at += size;
  }
}

function readFields({ context, end, fields }: Decoding, block: RegisterBlock, origin: number, register: string): void {
  for (const [name, field] of Object.entries(block.fields)) {
    const [offset, bytes, lsb, width, access] = field;
    const at = origin + offset;
    if (at + bytes > end || !context.space.captured(at, bytes) || fields.length === fieldsMax) continue;
    const value = readBits(context.space, at, field);
    fields.push({ register, name, at, bytes, lsb, width, access, value, confirmed: field.length === 5 });
  }
}

function readBits(space: ConfigSpace, at: number, [, bytes, lsb, width]: Field): number {
  const register = bytes === 4 ? space.u32(at) : bytes === 2 ? space.u16(at) : space.u8(at);
  return Math.floor(register / 2 ** lsb) % 2 ** width;
}
