import { ConfigSpace, extendedSpaceAt, type Survey, survey } from '@cadastre/config-space';

/** One extended capability in a list: where it is, and how many bytes it holds. */
export interface Member {
  readonly id: number;
  readonly offset: number;
  readonly length: number;
}

export type Change = 'added' | 'removed' | 'moved' | 'grown';

/** A function and a copy of it with one extended capability changed, byte by byte, apart from any planner. */
export interface ChangedCopy {
  readonly change: Change;
  /** The capability of the original; of the copy where one was added. */
  readonly one: Member;
  /** Where the copy has it. */
  readonly offset: number;
  readonly copy: Survey;
}

type Write = readonly [at: number, value: number];

/** Capabilities whose own registers tell their length: what makes them longer, from what they read. */
const growth: Readonly<Record<number, (read: (at: number) => number) => readonly Write[]>> = {
  0x0001: (read) => [[0x18, read(0x18) | 1 << 11]],                 // TLP prefix log
  0x0002: (read) => [[0x04, read(0x04) + 1]],                       // extended VC count
  0x0005: (read) => [[0x04, read(0x04) + (1 << 8)]],                // number of link entries
  0x000b: (read) => [[0x04, read(0x04) + (8 << 20)]],               // VSEC length
  0x000d: (read) => [[0x04, (read(0x04) | 1 << 5) + (32 << 8)]],    // egress control and its vector
  0x0015: (read) => [[0x08, read(0x08) + (1 << 5)], [0x08 + 8 * (read(0x08) >>> 5 & 7), 5]],    // BAR 5 too
  0x0016: (read) => [[0x04, read(0x04) + 8]],                       // substates
  0x0023: (read) => [[0x04, read(0x04) + (8 << 20)]],               // DVSEC length
};

/** Every copy of a function with one extended capability added, removed, moved or grown that has room for it. */
export function changedCopies(original: Survey, keepClear: Member | undefined): readonly ChangedCopy[] {
  const list = original.capabilities.filter(({ space }) => space === 'extended');
  const taken = [...list, ...keepClear ? [keepClear] : []];
  const copies: (ChangedCopy | undefined)[] = [0x0018, 0x000e, list.at(-1)?.id ?? 0x0018]
    .map((id) => added(original, list, { id, offset: freeAt(original, taken, 16), length: 16 }));
  for (const one of list.filter(({ id }) => id !== 0)) {
    copies.push(removed(original, list, one), moved(original, list, one, freeAt(original, taken, one.length)),
      grown(original, list, one, keepClear));
  }
  return copies.flatMap((one) => one ?? []);
}

/** The highest run of zero bytes in nobody's hands, as far from the others as can be; 0 where there is none. */
function freeAt({ space, owners }: Survey, taken: readonly Member[], length: number): number {
  for (let at = (0xff0 - length) & ~3; at > extendedSpaceAt; at -= 4) {
    const isFree = owners.firstTaken({ offset: at, length: (length + 3) & ~3 }) === undefined
      && space.nonZeroFrom(at, at + ((length + 3) & ~3)) >= at + length
      && taken.every((one) => one.offset + one.length <= at || one.offset >= at + length);
    if (isFree) return at;
  }
  return 0;
}

function added(original: Survey, list: readonly Member[], one: Member): ChangedCopy | undefined {
  if (one.offset === 0 || list.length === 0) return undefined;
  return copyOf('added', one, one.offset, original, (bytes) => {
    // Version 1, and where it is vendor-specific a length that is true.
    bytes.setUint32(one.offset, one.id | 1 << 16, true);
    bytes.setUint32(one.offset + 4, one.length << 20, true);
    return [...list.map(({ offset }) => offset), one.offset];
  });
}

function removed(original: Survey, list: readonly Member[], one: Member): ChangedCopy {
  return copyOf('removed', one, one.offset, original, (bytes) => {
    erase(bytes, one);
    return rest(list, one);
  });
}

function moved(original: Survey, list: readonly Member[], one: Member, to: number): ChangedCopy | undefined {
  if (to === 0) return undefined;
  return copyOf('moved', one, to, original, (bytes) => {
    for (let at = 0; at < one.length; at += 1) bytes.setUint8(to + at, original.space.u8(one.offset + at));
    erase(bytes, one);
    const order = list.map(({ offset }) => (offset === one.offset ? to : offset));
    return one.offset === extendedSpaceAt ? [extendedSpaceAt, ...order] : order;
  });
}

function grown(
  original: Survey, list: readonly Member[], one: Member, keepClear: Member | undefined,
): ChangedCopy | undefined {
  const writes = growth[one.id]?.((at) => original.space.u32(one.offset + at));
  if (!writes) return undefined;
  const made = copyOf('grown', one, one.offset, original, (bytes) => {
    for (const [at, value] of writes) bytes.setUint32(one.offset + at, value, true);
    return list.map(({ offset }) => offset);
  });
  const after = made.copy.capabilities.find(({ space, offset }) => space === 'extended' && offset === one.offset);
  const end = one.offset + (after?.length ?? 0);
  const meets = [...list, ...keepClear ? [keepClear] : []].some(({ offset }) => offset > one.offset && offset < end);
  return after && !meets && !after.opaque && after.length > one.length ? made : undefined;
}

function rest(list: readonly Member[], one: Member): readonly number[] {
  const offsets = list.map(({ offset }) => offset);
  return one.offset === extendedSpaceAt ? offsets : offsets.filter((offset) => offset !== one.offset);
}

function erase(bytes: DataView, { offset, length }: Member): void {
  for (let at = offset; at < offset + length; at += 1) bytes.setUint8(at, 0);
}

/** Edits the bytes, then links the offsets the edit answers, each to the one behind it. */
function copyOf(
  change: Change, one: Member, offset: number, original: Survey, edit: (bytes: DataView) => readonly number[],
): ChangedCopy {
  const bytes = original.space.toBytes();
  const view = new DataView(bytes.buffer);
  const order = edit(view);
  order.forEach((at, index) => {
    const header = view.getUint32(at, true) & 0xfffff;
    view.setUint32(at, header + (order[index + 1] ?? 0) * 2 ** 20, true);
  });
  const space = ConfigSpace.from(bytes);
  if (!space.ok) throw new Error(`a copy of ${bytes.length} bytes`);
  return { change, one, offset, copy: survey(space.value) };
}
