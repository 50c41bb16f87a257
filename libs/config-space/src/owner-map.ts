import { aliasesOf } from './alias.js';
import { type ByteRange } from './byte-range.js';
import { type Capability, occupiedEnd } from './capability.js';
import { type ConfigSpace, headerSizeBytes } from './config-space.js';
import { type Finding } from './finding.js';
import { type UnlinkedCapability } from './unlinked-capabilities.js';

/** Who holds a byte. Only `zero` bytes may ever be offered for a synthetic capability. */
export type Owner =
  | 'zero'
  | 'header'
  | 'capability'
  /**
   * A linked capability that vfio-pci of Linux 6.12 unlinks: user space still reads and writes its bytes (K11).
   * `vfioView` tells it for another kernel.
   */
  | 'hidden-capability'
  /** The body of a well-formed header no list reaches, but whose next pointer proves it (strong). */
  | 'unlinked-capability'
  /** A range the caller knows to hold this device's registers, whatever its bytes read. */
  | 'quirk-range'
  /** Non-zero, and in no structure anybody knows. */
  | 'unknown-non-zero'
  /** Part of a long run of all-ones: the device does not decode these bytes (reading F7). */
  | 'not-decoded'
  /** The low space seen again at a higher offset (reading F6). */
  | 'alias'
  | 'not-captured';

/** A maximal run of bytes with one owner; `capability` tells which one where the owner is one. */
export interface OwnedRun extends ByteRange {
  readonly owner: Owner;
  readonly capability: Capability | undefined;
}

/** What an owner map is drawn from. */
export interface Holdings {
  readonly capabilities: readonly Capability[];
  readonly unlinked: readonly UnlinkedCapability[];
  readonly quirkRanges: readonly ByteRange[];
  /** Offsets of the DWORDs that are not zero and in no linked capability, ascending. */
  readonly strayDwords: readonly number[];
}

const zero = 0;
const codes: readonly Owner[] = [
  'zero', 'header', 'unlinked-capability', 'quirk-range', 'unknown-non-zero', 'not-decoded', 'alias', 'not-captured',
];
const codeOf = (owner: Owner): number => codes.indexOf(owner);
const header = codeOf('header');
const unlinkedCode = codeOf('unlinked-capability');
const quirkRange = codeOf('quirk-range');
const nonZero = codeOf('unknown-non-zero');
const notDecoded = codeOf('not-decoded');
const alias = codeOf('alias');
const notCaptured = codeOf('not-captured');
/** Codes from here on name a linked capability by its index. */
const firstCapability = 16;

/** A run this long does not happen by chance in a register file: the bytes are not decoded (reading F7). */
const notDecodedRunBytes = 16;

/** Exactly one owner for every byte of one config space. */
export class OwnerMap {
  private constructor(private readonly owners: Uint16Array, private readonly capabilities: readonly Capability[]) {}

  /** Where capabilities overlap, the one that starts later holds the bytes: a body may lie, a header is there. */
  static of(space: ConfigSpace, holdings: Holdings, findings: Finding[]): OwnerMap {
    const { capabilities, unlinked, quirkRanges, strayDwords } = holdings;
    const owners = new Uint16Array(space.size);
    owners.fill(header, 0, headerSizeBytes);
    const byStart = capabilities.map((one, index) => ({ one, code: firstCapability + index }))
      .sort((a, b) => a.one.offset - b.one.offset);
    for (const { one, code } of byStart) owners.fill(code, one.offset, occupiedEnd(one));
    for (const one of quirkRanges) fillFree(owners, one.offset, one.offset + one.length, quirkRange);
    for (const one of unlinked) if (one.strong) fillFree(owners, one.offset, occupiedEnd(one), unlinkedCode);
    for (const range of aliasesOf(space)) {
      findings.push({ kind: 'aliases-low-space', ...range });
      fillFree(owners, range.offset, range.offset + range.length, alias);
    }
    fillFree(owners, space.capturedBytes, space.size, notCaptured);
    markStrays(space, owners, strayDwords, findings);
    return new OwnerMap(owners, capabilities);
  }

  /** Owner of one byte; an offset outside the space is a bug and throws. */
  ownerAt(offset: number): { readonly owner: Owner; readonly capability: Capability | undefined } {
    const code = this.owners[offset];
    if (code === undefined) throw new RangeError(`no byte at offset ${offset} in ${this.owners.length} bytes`);
    if (code < firstCapability) return { owner: codes[code] ?? 'zero', capability: undefined };
    const capability = this.capabilities[code - firstCapability];
    return { owner: capability?.row.vfio === 'hide' ? 'hidden-capability' : 'capability', capability };
  }

  /** The first byte of the range that is not a free zero byte; undefined when all are. */
  firstTaken(range: ByteRange): number | undefined {
    const end = range.offset + range.length;
    for (let offset = range.offset; offset < end; offset += 1) {
      if (this.owners[offset] !== zero) return offset;
    }
    return undefined;
  }

  /** The whole space as maximal runs, in offset order, without holes. */
  runs(): readonly OwnedRun[] {
    const runs: OwnedRun[] = [];
    let start = 0;
    for (let offset = 1; offset <= this.owners.length; offset += 1) {
      if (this.owners[offset] === this.owners[start]) continue;
      runs.push({ offset: start, length: offset - start, ...this.ownerAt(start) });
      start = offset;
    }
    return runs;
  }
}

function fillFree(owners: Uint16Array, from: number, to: number, code: number): void {
  const end = Math.min(to, owners.length);
  for (let offset = Math.max(from, 0); offset < end; offset += 1) {
    if (owners[offset] === zero) owners[offset] = code;
  }
}

/** Gives the bytes nobody holds to their values: a long run of all-ones, or non-zero one by one. */
function markStrays(
  space: ConfigSpace, owners: Uint16Array, strayDwords: readonly number[], findings: Finding[],
): void {
  for (let index = 0; index < strayDwords.length; ) {
    const offset = strayDwords[index] ?? 0;
    const ones = countOnes(space, strayDwords, index);
    if (ones * 4 >= notDecodedRunBytes) {
      findings.push({ kind: 'all-ones', offset, length: ones * 4 });
      fillFree(owners, offset, offset + ones * 4, notDecoded);
      index += ones;
      continue;
    }
    for (let at = offset; at < offset + 4; at += 1) {
      if (owners[at] === zero && space.u8(at) !== 0) owners[at] = nonZero;
    }
    index += 1;
  }
}

/** How many stray DWORDs from `index` on follow each other and read all-ones. */
function countOnes(space: ConfigSpace, strayDwords: readonly number[], index: number): number {
  const first = strayDwords[index] ?? 0;
  let count = 0;
  while (strayDwords[index + count] === first + count * 4 && space.u32(first + count * 4) === 0xffffffff) count += 1;
  return count;
}
