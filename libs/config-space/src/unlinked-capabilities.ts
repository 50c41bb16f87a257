import { type Capability } from './capability.js';
import { capabilityCatalogue, toldLength } from './catalogue/capability-catalogue.js';
import { type CapabilityRow } from './catalogue/capability-row.js';
import { type ConfigSpace, extendedSpaceAt } from './config-space.js';
import { type Finding } from './finding.js';

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
  const proven: { readonly candidate: Candidate; readonly strong: boolean }[] = [];
  for (const candidate of candidates.values()) {
    const strength = strengthOf(candidate, candidates, linked);
    if (strength !== 'none') proven.push({ candidate, strong: strength === 'strong' });
  }
  const starts = [...linked, ...proven.map(({ candidate }) => candidate.offset)].sort((a, b) => a - b);
  return proven.map(({ candidate: { id, version, offset, row }, strong }) => {
    const room = (starts.find((start) => start > offset) ?? space.size) - offset;
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

/** Follows next pointers over other candidates; `visited` stops at rings, which prove nothing. */
function strengthOf(
  from: Candidate, candidates: ReadonlyMap<number, Candidate>, linked: ReadonlySet<number>,
): 'strong' | 'weak' | 'none' {
  const visited = new Set<number>();
  let current: Candidate | undefined = from;
  while (current !== undefined && !visited.has(current.offset)) {
    if (linked.has(current.next)) return 'strong';
    visited.add(current.offset);
    if (current.next === 0) return 'weak';
    current = candidates.get(current.next);
  }
  return 'none';
}
