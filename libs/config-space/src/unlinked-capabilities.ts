import { type Capability } from './capability.js';
import { capabilityCatalogue, toldLength } from './catalogue/capability-catalogue.js';
import { type CapabilityRow } from './catalogue/capability-row.js';
import { type ConfigSpace, extendedSpaceAt } from './config-space.js';
import { type Finding } from './finding.js';
import { nextAbove } from './next-above.js';

/** A complete, well-formed extended capability that no list reaches: silicon whose feature was switched off. */
export interface UnlinkedCapability {
  readonly id: number;
  readonly version: number;
  readonly offset: number;
  readonly length: number;
  readonly row: CapabilityRow;
  /**
   * Its next pointer leads to a linked capability or to another strong header. A weak one (next 0) may be
   * chance: its bytes are avoided when another place exists.
   */
  readonly strong: boolean;
}

interface Candidate {
  readonly id: number;
  readonly version: number;
  readonly offset: number;
  readonly next: number;
  readonly row: CapabilityRow;
}

/**
 * Reading F1: a DWORD nobody holds, ID 0x1..0x3a, version >= 1, next pointer aligned. 19 of 111 real captures
 * hold such headers, and in 7 an all-zero window lies inside the body of one: "the bytes are zero" is not enough.
 * @param strayDwords offsets of the DWORDs that are not zero and in no linked capability
 */
export function findUnlinkedCapabilities(
  space: ConfigSpace, capabilities: readonly Capability[], strayDwords: readonly number[], findings: Finding[],
): readonly UnlinkedCapability[] {
  const candidates = collectCandidates(space, strayDwords);
  if (candidates.size === 0) return [];
  const linked = new Set<number>();
  for (const one of capabilities) if (one.space === 'extended') linked.add(one.offset);
  const expressAt = capabilities.find((one) => one.space === 'standard' && one.id === 0x10)?.offset;
  const strengths = new Map<number, Strength>();
  const proven: { readonly candidate: Candidate; readonly strong: boolean }[] = [];
  for (const candidate of candidates.values()) {
    const strength = strengthOf(candidate, candidates, linked, strengths);
    if (strength !== 'none') proven.push({ candidate, strong: strength === 'strong' });
  }
  const starts = [...linked, ...proven.map(({ candidate }) => candidate.offset)].sort((a, b) => a - b);
  return proven.map(({ candidate: { id, version, offset, row }, strong }) => {
    const room = (nextAbove(starts, offset) ?? space.size) - offset;
    const told = toldLength(row, { space, at: offset, version, expressAt });
    const length = told.kind === 'exact' ? Math.min(told.bytes, space.size - offset) : room;
    findings.push({ kind: 'unlinked-capability', id, offset, length, strong });
    return { id, version, offset, length, row, strong };
  });
}

function collectCandidates(space: ConfigSpace, strayDwords: readonly number[]): ReadonlyMap<number, Candidate> {
  const candidates = new Map<number, Candidate>();
  for (const offset of strayDwords) {
    if (offset < extendedSpaceAt || !space.captured(offset, 4)) continue;
    const header = space.u32(offset);
    const id = header & 0xffff;
    const version = (header >>> 16) & 0xf;
    const next = header >>> 20;
    const row = capabilityCatalogue.extended[id];
    if (id === 0 || row === undefined || version === 0 || next % 4 !== 0) continue;
    candidates.set(offset, { id, version, offset, next, row });
  }
  return candidates;
}

type Strength = 'strong' | 'weak' | 'none';

/**
 * Follows next pointers over other candidates; a ring proves nothing. What is found holds for every candidate on the
 * way, so `known` makes the whole search linear.
 */
function strengthOf(
  from: Candidate, candidates: ReadonlyMap<number, Candidate>, linked: ReadonlySet<number>,
  known: Map<number, Strength>,
): Strength {
  const way = new Set<number>();
  let current: Candidate | undefined = from;
  let strength: Strength = 'none';
  while (current !== undefined && !way.has(current.offset)) {
    const before = known.get(current.offset);
    if (before !== undefined) {
      strength = before;
      break;
    }
    way.add(current.offset);
    if (linked.has(current.next)) strength = 'strong';
    else if (current.next === 0) strength = 'weak';
    if (strength !== 'none') break;
    current = candidates.get(current.next);
  }
  for (const offset of way) known.set(offset, strength);
  return strength;
}
