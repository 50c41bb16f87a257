import { type ByteRange, type CapabilitySpace, type ConfigSpace, extendedSpaceAt } from '@cadastre/config-space';

/** A capability of a layout or of a function: what a pair is made of. */
interface Listed extends ByteRange {
  readonly space: CapabilitySpace;
  readonly id: number;
}

/**
 * What a capability is, as a number: its list and its ID; of a vendor's structure also whose and which it is, without
 * which nothing in its body means the same. PCIe Base Specification, "Vendor-Specific" and "Designated
 * Vendor-Specific".
 */
export function kindOf({ space: list, id, offset, length }: Listed, space: ConfigSpace): number {
  if (list === 'standard') return id;
  const kind = 2 ** 48 + id * 2 ** 32;
  if (id === 0x0b && length >= 8) return kind + space.u16(offset + 4);
  return id === 0x23 && length >= 12 ? kind + space.u16(offset + 4) * 2 ** 16 + space.u16(offset + 8) : kind;
}

/** A header that leads on and means nothing: what stays at 0x100 where the first extended capability is hidden. */
export function isNullHead({ space, id, offset }: Listed): boolean {
  return space === 'extended' && id === 0 && offset === extendedSpaceAt;
}

/**
 * Which of `theirs` each of `ours` stands for: the one of its kind at the same offset, and of those left over the
 * first with the first. None stands for two.
 */
export function pairsOf<Ours extends ByteRange, Theirs extends ByteRange>(
  ours: readonly Ours[], theirs: readonly Theirs[], isAlike: (one: Ours, other: Theirs) => boolean,
): ReadonlyMap<Ours, Theirs> {
  const pairs = new Map<Ours, Theirs>();
  const used = new Set<Theirs>();
  const pair = (one: Ours, other: Theirs | undefined): void => {
    if (!other) return;
    pairs.set(one, other);
    used.add(other);
  };
  for (const one of ours) pair(one, theirs.find((other) => other.offset === one.offset && isAlike(one, other)));
  for (const one of ours) {
    if (!pairs.has(one)) pair(one, theirs.find((other) => !used.has(other) && isAlike(one, other)));
  }
  return pairs;
}
