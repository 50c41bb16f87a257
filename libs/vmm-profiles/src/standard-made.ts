import { type RuleName } from './rules.js';

/** A vendor-specific standard capability a VMM makes, by the name layouts give it. */
export interface StandardMade {
  readonly name: 'nvidia-clique' | 'vmd-shadow';
  /** What it is set with; null where it is made of itself. */
  readonly setting: string | null;
  /** The only places it has, the best first. */
  readonly offsets: readonly number[];
  /** Whether it leaves a place where a capability of the hardware starts. */
  readonly yields: boolean;
  readonly rule: RuleName;
}

/**
 * Where the VMM puts it.
 * @param starts where standard capabilities of the hardware start
 * @returns undefined where every place is taken, and the device is refused
 */
export function standardPlace({ offsets, yields }: StandardMade, starts: readonly number[]): number | undefined {
  return offsets.find((place) => !yields || !starts.includes(place));
}
