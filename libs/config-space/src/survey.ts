import { announcesExtendedSpace } from './announces-extended-space.js';
import { type ByteRange } from './byte-range.js';
import { type Capability } from './capability.js';
import { capabilityRow, toldLength } from './catalogue/capability-catalogue.js';
import { type CapabilitySpace } from './catalogue/capability-row.js';
import { type ConfigSpace, extendedSpaceAt, headerSizeBytes } from './config-space.js';
import { type Finding } from './finding.js';
import { type Gap, scanGaps } from './gaps.js';
import { type Header, readHeader } from './header.js';
import { OwnerMap } from './owner-map.js';
import { nextAbove } from './next-above.js';
import { findUnlinkedCapabilities, type UnlinkedCapability } from './unlinked-capabilities.js';
import { type LinkedCapability, walkExtendedCapabilities, walkStandardCapabilities } from './walk-capabilities.js';

/** What a function is in its SR-IOV family: physical function, virtual function, or neither. */
export type SriovRole = 'pf' | 'vf' | 'none';

/** The ground truth of all placement: what every byte of one function's config space belongs to. */
export interface Survey {
  readonly space: ConfigSpace;
  readonly header: Header;
  /** Standard list, then extended list, each in list order. */
  readonly capabilities: readonly Capability[];
  /** Well-formed extended headers that no list reaches (reading F1). */
  readonly unlinked: readonly UnlinkedCapability[];
  readonly owners: OwnerMap;
  readonly gaps: readonly Gap[];
  readonly findings: readonly Finding[];
}

/**
 * A VF has none of its own: PASID and PRI are those of its PF (PCIe Base Specification, "PASID Extended Capability"
 * and "Page Request Extended Capability"), and so is the serial number of the device.
 */
const sharedWithPf: readonly number[] = [0x001b, 0x0013, 0x0003];

/**
 * Surveys one config space: both lists, the extent of every capability, the owner of every byte, the gaps.
 * Never refuses and never throws: what makes no sense is a finding. Pure: the same bytes give the same survey.
 * @param quirkRanges bytes known to be registers of this device although nothing in the space says so
 */
export function survey(
  space: ConfigSpace, role: SriovRole = 'none', quirkRanges: readonly ByteRange[] = [],
): Survey {
  const findings: Finding[] = [];
  const header = readHeader(space);
  if (!space.isWhole) {
    findings.push({ kind: 'capture-truncated', capturedBytes: space.capturedBytes, sizeBytes: space.size });
  }
  const ones = leadingOnesBytes(space);
  if (ones >= headerSizeBytes) {
    findings.push({ kind: 'all-ones', offset: 0, length: ones });
    return goneFunction(space, header, findings);
  }
  const linked = [
    ...walkStandardCapabilities(space, header, findings),
    ...walkExtendedCapabilities(space, findings),
  ];
  const capabilities = measure(space, linked, findings);
  if (capabilities.some((one) => one.space === 'extended') && !announcesExtendedSpace(space, linked)) {
    findings.push({ kind: 'extended-without-express' });
  }
  if (role === 'vf') noteSharedCapabilities(capabilities, findings);
  const { gaps, strayDwords } = scanGaps(space, capabilities);
  const unlinked = findUnlinkedCapabilities(space, capabilities, strayDwords, findings);
  const owners = OwnerMap.of(space, { capabilities, unlinked, quirkRanges, strayDwords }, findings);
  return { space, header, capabilities, unlinked, owners, gaps, findings };
}

/** A header of all-ones means nothing, nor does what follows: no capabilities, no gaps, no byte to offer. */
function goneFunction(space: ConfigSpace, header: Header, findings: readonly Finding[]): Survey {
  const { strayDwords } = scanGaps(space, []);
  const owners = OwnerMap.of(space, { capabilities: [], unlinked: [], quirkRanges: [], strayDwords }, []);
  return { space, header, capabilities: [], unlinked: [], owners, gaps: [], findings };
}

/** A function that is gone answers all-ones everywhere; a VF answers them in its IDs alone. */
function leadingOnesBytes(space: ConfigSpace): number {
  let offset = 0;
  while (space.captured(offset, 4) && space.u32(offset) === 0xffffffff) offset += 4;
  return offset;
}

/** Gives every linked capability its extent. */
function measure(space: ConfigSpace, linked: readonly LinkedCapability[], findings: Finding[]): Capability[] {
  const starts = linked.map((one) => one.offset).sort((a, b) => a - b);
  const expressAt = linked.find((one) => one.space === 'standard' && one.id === 0x10)?.offset;
  return linked.map((one) => {
    const row = capabilityRow(one.space, one.id);
    const end = one.space === 'standard' ? extendedSpaceAt : space.size;
    const nextStart = nextAbove(starts, one.offset);
    const room = Math.min(nextStart ?? end, end) - one.offset;
    const told = toldLength(row, { space, at: one.offset, version: one.version, expressAt });
    const about = { space: one.space, id: one.id, offset: one.offset };
    if (row.title === 'unknown') findings.push({ kind: 'capability-unknown', ...about });
    if (one.space === 'extended' && one.id === 0x001d) noteDpcLogSize(space, one.offset, findings);
    if (told.kind !== 'exact') {
      if (told.kind === 'too-short') {
        findings.push({ kind: 'capability-too-short', ...about, length: told.bytes, least: told.least });
      }
      return { ...one, row, length: room, opaque: true };
    }
    if (one.offset + told.bytes > end) {
      findings.push({ kind: 'capability-passes-end', ...about, length: told.bytes, end });
    } else if (one.offset + told.bytes > space.capturedBytes) {
      findings.push({
        kind: 'capability-cut', ...about, length: told.bytes, capturedBytes: space.capturedBytes,
      });
    }
    if (told.bytes > room && nextStart !== undefined && nextStart < end) {
      findings.push({ kind: 'capability-overlaps', ...about, length: told.bytes, nextStart });
    }
    return { ...one, row, length: Math.min(told.bytes, end - one.offset), opaque: false };
  });
}

function noteDpcLogSize(space: ConfigSpace, offset: number, findings: Finding[]): void {
  if (!space.captured(offset + 4, 2)) return;
  const capability = space.u16(offset + 4);
  const hasRootPortExtensions = (capability & 0x20) !== 0;
  const logSize = (capability >>> 8) & 0xf;
  if (hasRootPortExtensions && logSize === 0) findings.push({ kind: 'dpc-log-size-zero', offset });
}

function noteSharedCapabilities(capabilities: readonly Capability[], findings: Finding[]): void {
  for (const { space, id, row, offset } of capabilities) {
    if (space === 'extended' && sharedWithPf.includes(id)) {
      findings.push({ kind: 'vf-lists-shared-capability', id, name: row.name, offset });
    }
  }
}

/** The first linked capability with this ID. */
export function findCapability(of: Survey, space: CapabilitySpace, id: number): Capability | undefined {
  return of.capabilities.find((one) => one.space === space && one.id === id);
}
