import {
  ByteRange, capabilitiesPointerAt, capabilityRow, type CapabilitySpace, extendedSpaceAt, headerSizeBytes, readHeader,
  walkExtendedCapabilities, walkStandardCapabilities,
} from '@cadastre/config-space';
import { identityOf } from './identity-of.js';
import {
  type LayoutCapability, type LayoutDocument, type LayoutIdentity, type LayoutRange,
} from './layout-document.js';
import { type Malformed } from './shape.js';
import {
  isSyntheticName, type SyntheticCapability, syntheticCapability, writableBitsAtMost,
} from './synthetic-capability.js';

type Contradiction = Omit<Malformed, 'kind'> | undefined;

const hex = (value: number | null): string => (value === null ? 'nothing' : `0x${value.toString(16)}`);

/** What the parts of a document say differently about the same bytes. The first one found, with its limit. */
export function whatContradicts(document: LayoutDocument): Contradiction {
  return inIdentity(document) ?? inRanges(document) ?? inPlaces(document)
    ?? inList(document, 'standard') ?? inList(document, 'extended')
    ?? firstIn(document.capabilities, 'capabilities', (one, at) => inCapability(one, at, document))
    ?? inOverlaps(document.capabilities);
}

function firstIn<Item>(
  items: readonly Item[], member: string, judge: (item: Item, pointer: string) => Contradiction,
): Contradiction {
  for (const [index, one] of items.entries()) {
    const found = judge(one, `/${member}/${index}`);
    if (found) return found;
  }
  return undefined;
}

function inIdentity({ identity: told, space }: LayoutDocument): Contradiction {
  const read = identityOf(space);
  const name = (Object.keys(read) as (keyof LayoutIdentity)[]).find((one) => read[one] !== told[one]);
  return name && { pointer: `/identity/${name}`, problem: `is ${hex(told[name])}, the bytes say ${hex(read[name])}` };
}

function inRanges({ ranges, configSize }: LayoutDocument): Contradiction {
  let at = 0;
  for (const [index, one] of ranges.entries()) {
    if (one.offset !== at) {
      const pointer = `/ranges/${index}/offset`;
      return { pointer, problem: `is ${hex(one.offset)}, must be the end before, ${hex(at)}` };
    }
    at = ByteRange.end(one);
  }
  if (at === configSize) return undefined;
  return { pointer: '/ranges', problem: `end at ${hex(at)}, the space at ${hex(configSize)}` };
}

/** Where capabilities may be, and what is behind them: inside their part of the space, aligned. */
function inPlaces({ capabilities, configSize }: LayoutDocument): Contradiction {
  return firstIn(capabilities, 'capabilities', ({ space, offset, length, backing }, pointer) => {
    const [from, end] = space === 'standard' ? [headerSizeBytes, extendedSpaceAt] : [extendedSpaceAt, configSize];
    const isOutside = (at: number): boolean => at % 4 !== 0 || at < from || at + length > end;
    const problem = (at: number): string =>
      `is ${hex(at)}, must be a multiple of 4 with its ${length} bytes in ${hex(from)}..${hex(end - 1)}`;
    if (isOutside(offset)) return { pointer: `${pointer}/offset`, problem: problem(offset) };
    if (backing.kind !== 'physical' || !isOutside(backing.offset)) return undefined;
    return { pointer: `${pointer}/backing/offset`, problem: problem(backing.offset) };
  });
}

/** The list as it is told, as the capabilities are listed, and as a guest walks the bytes. */
function inList(
  { capabilities, space, standardList, extendedList }: LayoutDocument, name: CapabilitySpace,
): Contradiction {
  const told = name === 'standard' ? standardList : extendedList;
  const walked = name === 'standard' ? walkStandardCapabilities(space, readHeader(space), [])
    : walkExtendedCapabilities(space, []);
  const wrongAt = Array.from({ length: Math.max(told.length, walked.length) }, (_, index) => index)
    .find((index) => told[index] !== walked[index]?.offset);
  if (wrongAt !== undefined) {
    const head = name === 'standard' ? capabilitiesPointerAt(readHeader(space)) : extendedSpaceAt;
    const [here, there] = [told[wrongAt] ?? null, walked[wrongAt]?.offset ?? null];
    return { pointer: `/${name}List/${wrongAt}`,
      problem: `is ${hex(here)}, a walk of the bytes from ${hex(head)} meets ${hex(there)}` };
  }
  const listed = [...capabilities.entries()].filter(([, one]) => one.space === name);
  for (const [place, [index, { offset, id, version }]] of listed.entries()) {
    const there = walked[place];
    if (there?.offset === offset && there.id === id && there.version === version) continue;
    const shown = there ? `ID ${hex(there.id)}, version ${there.version}, at ${hex(there.offset)}` : 'the end';
    return { pointer: `/capabilities/${index}`,
      problem: `is ID ${hex(id)}, version ${version}, at ${hex(offset)}; a walk of the bytes meets ${shown} there` };
  }
  if (listed.length === walked.length) return undefined;
  return { pointer: '/capabilities', problem: `has ${listed.length} ${name} ones, a walk meets ${walked.length}` };
}

function inCapability(one: LayoutCapability, pointer: string, document: LayoutDocument): Contradiction {
  return inOrigin(one, pointer) ?? inName(one, pointer) ?? inWritable(one, pointer)
    ?? inItsRanges(one, document.ranges);
}

/** The row that builds a capability which says it was built. */
function builderOf({ name, space, id }: LayoutCapability): SyntheticCapability | undefined {
  const builder = name.toLowerCase();
  const row = isSyntheticName(builder) ? syntheticCapability(builder) : undefined;
  return row?.space === space && row.id === id ? row : undefined;
}

function inOrigin(one: LayoutCapability, pointer: string): Contradiction {
  const { origin, backing, space, offset, length, id, name } = one;
  if (origin !== 'physical' && backing.kind === 'physical') {
    return { pointer: `${pointer}/backing/kind`, problem: `is physical, of origin ${origin} it must be emulated` };
  }
  if (origin === 'physical') return undefined;
  if (origin === 'anchor') {
    if (space === 'extended' && offset === extendedSpaceAt && length === 4) return undefined;
    return { pointer: `${pointer}/origin`, problem: 'is anchor, which is the 4 bytes at 0x100 of the extended list' };
  }
  const row = builderOf(one);
  if (!row) {
    return { pointer: `${pointer}/origin`, problem: `is ${origin}, and nothing builds ${name} of ID ${hex(id)}` };
  }
  if (row.lengthBytes === length) return undefined;
  return { pointer: `${pointer}/length`, problem: `is ${length}, ${name} is built with ${row.lengthBytes}` };
}

/** A catalogue of another time may know an ID that this one does not, and the other way round. */
function inName(one: LayoutCapability, pointer: string): Contradiction {
  const { space, id, name } = one;
  const meant = capabilityRow(space, id).name;
  if (name === meant || builderOf(one) || isNumbered(name) || isNumbered(meant)) return undefined;
  return { pointer: `${pointer}/name`, problem: `is ${name}, ID ${hex(id)} is ${meant}` };
}

/** The name of an ID a catalogue does not know: `unknown-003b`. */
function isNumbered(name: string): boolean {
  return name.startsWith('unknown-');
}

/** Bits a guest may write: DWORDs of the capability behind its header, and controls of what is built. */
function inWritable(one: LayoutCapability, pointer: string): Contradiction {
  const { backing, offset, length, origin, name } = one;
  if (backing.kind !== 'emulated') return undefined;
  const end = offset + length;
  const most = builderOf(one);
  let before = offset;
  return firstIn(backing.writable, `${pointer.slice(1)}/backing/writable`, ({ offset: at, mask }, where) => {
    if (at % 4 !== 0 || at <= before || at + 4 > end) {
      const least = hex(before + 4);
      return { pointer: `${where}/offset`, problem: `is ${hex(at)}, must be a multiple of 4, in order, in `
        + `${least}..${hex(end - 4)}: behind the header of ${name} at ${hex(offset)}` };
    }
    before = at;
    const allowed = origin === 'anchor' ? 0 : most ? writableBitsAtMost(most, at - offset) : 0xffffffff;
    if (mask !== 0 && (mask & ~allowed) === 0) return undefined;
    return { pointer: `${where}/mask`, problem: `is ${hex(mask)}, controls of ${name} there are ${hex(allowed)}` };
  });
}

/** Controls the IOMMU driver sets, never a config write (R16). */
const iommuDriven: readonly number[] = [0x000f, 0x0013, 0x001b];

/** What the ranges say of the bytes of one capability. */
function inItsRanges(one: LayoutCapability, ranges: readonly LayoutRange[]): Contradiction {
  const { space, id, name, offset, length, origin, backing } = one;
  const header = { offset, length: space === 'standard' ? 2 : 4 };
  const isDriven = space === 'extended' && iommuDriven.includes(id);
  return firstIn(ranges, 'ranges', (range, pointer) => {
    if (!ByteRange.overlaps(range, one)) return undefined;
    const { write, compare, provenance } = range;
    const where = `${name} at ${ByteRange.show({ offset, length })}`;
    if (ByteRange.overlaps(range, header) && write !== 'dropped') {
      return { pointer: `${pointer}/write`, problem: `is ${write}, must be dropped: the header of ${where} is in it` };
    }
    if (write === 'hardware' && (isDriven || backing.kind === 'emulated')) {
      const why = isDriven ? 'the IOMMU driver sets it, never a config write' : 'it is emulated';
      return { pointer: `${pointer}/write`, problem: `is hardware, must be emulated or dropped in ${where}: ${why}` };
    }
    if ((origin === 'synthetic' || origin === 'persona') && provenance.by === 'hardware') {
      return { pointer: `${pointer}/provenance/by`, problem: `is hardware, ${where} is ${origin}` };
    }
    if (backing.kind !== 'emulated') return undefined;
    for (let at = Math.max(range.offset, offset); at < Math.min(ByteRange.end(range), offset + length); at += 1) {
      const isWritable = backing.writable.some((dword) => at >= dword.offset && at < dword.offset + 4
        && ((dword.mask >>> (8 * (at - dword.offset))) & 0xff) !== 0);
      if (isWritable === (write === 'emulated') && !(isWritable && compare === 'identical')) continue;
      const problem = isWritable ? `is ${write}, compare ${compare}: a guest may write byte ${hex(at)} of ${where}`
        : `is emulated: no bit of byte ${hex(at)} of ${where} is writable`;
      return { pointer: `${pointer}/write`, problem };
    }
    return undefined;
  });
}

/** Hardware may list bodies that overlap; what was put there shares its bytes with nobody. */
function inOverlaps(capabilities: readonly LayoutCapability[]): Contradiction {
  return firstIn(capabilities, 'capabilities', (one, pointer) => {
    const other = capabilities.find((two) => two !== one && ByteRange.overlaps(one, two)
      && (one.origin !== 'physical' || two.origin !== 'physical'));
    return other && { pointer: `${pointer}/offset`, problem: `is ${hex(one.offset)}: ${one.name} at `
      + `${ByteRange.show(one)} overlaps ${other.name} at ${ByteRange.show(other)}` };
  });
}
