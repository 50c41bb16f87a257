import { ByteRange, type ConfigSpace, survey } from '@cadastre/config-space';
import { hardwareBehaviour } from './byte-behaviour.js';
import { hexOf, unlikeRuns } from './compare-layouts.js';

/** Bytes a guest reads otherwise than it should. */
export interface GuestDifference extends ByteRange {
  readonly expected: string;
  readonly seen: string;
}

export interface GuestDifferences {
  /** In bytes nobody may change: the guest has another layout. */
  readonly differences: readonly GuestDifference[];
  /** In bytes that may differ and stay true: status, what a vendor counts (R13). */
  readonly tolerated: readonly GuestDifference[];
}

/**
 * Compares what a guest reads with what it should read. Registers a guest or its VMM may write are not compared; where
 * either side has a capability, its bytes count as that capability's.
 * @param open ranges nothing is known about
 */
export function guestDifferences(
  expected: ConfigSpace, seen: ConfigSpace, open: readonly ByteRange[] = [],
): GuestDifferences {
  const ours = hardwareBehaviour(survey(expected));
  const theirs = hardwareBehaviour(survey(seen));
  const both = { offset: 0, length: Math.min(expected.size, seen.size) };
  const runsOf = (compare: 'identical' | 'consistent'): readonly GuestDifference[] =>
    unlikeRuns(both, (at) => {
      const classes = [ours[at]?.compare, theirs[at]?.compare];
      const stricter = classes.includes('identical') ? 'identical'
        : classes.includes('consistent') ? 'consistent' : 'ignore';
      return stricter !== compare || expected.u8(at) === seen.u8(at)
        || open.some((one) => ByteRange.contains(one, { offset: at, length: 1 }));
    }).map(({ offset, length }) => ({
      offset, length, expected: hexOf(offset, length, (at) => expected.u8(at)),
      seen: hexOf(offset, length, (at) => seen.u8(at)),
    }));
  return { differences: runsOf('identical'), tolerated: runsOf('consistent') };
}
