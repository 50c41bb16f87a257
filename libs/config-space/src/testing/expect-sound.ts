import { type ConfigSpace, extendedSpaceAt, headerSizeBytes } from '../config-space.js';
import { type Owner } from '../owner-map.js';
import { decode } from '../registers/decode.js';
import { type SriovRole, survey, type Survey } from '../survey.js';
import { extendedCapabilitiesMax, standardCapabilitiesMax } from '../walk-capabilities.js';

/** A walk reports at most a few things for each structure, the values at most one for each 16 bytes. */
const findingsMax = 8 * (standardCapabilitiesMax + extendedCapabilitiesMax) + 4096 / 16 + 16;

/**
 * Surveys a space and throws, naming the rule, unless the survey keeps what it promises about every space: bounded
 * lists, extents inside the space, exactly one owner for every byte, gaps that are exactly what nobody holds.
 */
export function expectSound(space: ConfigSpace, role: SriovRole = 'none'): Survey {
  const surveyed = survey(space, role);
  expectBounded(surveyed);
  expectOneOwnerEach(surveyed);
  expectGapsBetweenHolders(surveyed);
  expectRegistersInside(surveyed);
  return surveyed;
}

function rule(holds: boolean, name: string, ...numbers: readonly (number | string)[]): void {
  if (!holds) throw new Error(`${name}: ${numbers.join(', ')}`);
}

function expectBounded({ space, capabilities, findings }: Survey): void {
  const standard = capabilities.filter((one) => one.space === 'standard').length;
  rule(standard <= standardCapabilitiesMax, 'standard list is bounded', standard);
  rule(capabilities.length - standard <= extendedCapabilitiesMax, 'extended list is bounded', capabilities.length);
  rule(findings.length <= findingsMax, 'findings are bounded', findings.length);
  const starts = new Set<number>();
  for (const { space: list, offset, length } of capabilities) {
    const [from, to] = list === 'standard' ? [headerSizeBytes, extendedSpaceAt] : [extendedSpaceAt, space.size];
    rule(offset % 4 === 0, 'a capability is aligned', offset);
    rule(length > 0 && offset >= from && offset + length <= to, 'a capability lies inside its space', offset, length);
    rule(!starts.has(offset), 'a capability is listed once', offset);
    starts.add(offset);
  }
}

function expectOneOwnerEach({ space, owners }: Survey): void {
  let at = 0;
  let previous = '';
  for (const { offset, length, owner, capability } of owners.runs()) {
    rule(offset === at && length > 0, 'runs follow each other without a hole', offset, at);
    const name = `${owner} ${capability?.offset}`;
    rule(name !== previous, 'runs are maximal', offset);
    rule(isLinked(owner) === (capability !== undefined), 'a capability run names its capability', offset);
    previous = name;
    at += length;
  }
  rule(at === space.size, 'runs end with the space', at);
}

function expectGapsBetweenHolders({ space, owners, gaps }: Survey): void {
  // A function that is gone has neither gaps nor capabilities.
  if (space.u32(0) === 0xffffffff && gaps.length === 0) return;
  const held = new Uint8Array(space.size).fill(1);
  for (const { offset, length, zero } of gaps) {
    held.fill(0, offset, offset + length);
    if (zero) rule(space.nonZeroFrom(offset, offset + length) === offset + length, 'a zero gap is zero', offset);
  }
  for (const { offset, length, owner } of owners.runs()) {
    const expected = owner === 'header' || isLinked(owner) ? 1 : 0;
    for (let at = offset; at < offset + length; at += 1) {
      rule(held[at] === expected, 'gaps are what neither header nor capability holds', at, owner);
    }
  }
}

function expectRegistersInside({ space, capabilities }: Survey): void {
  for (const capability of capabilities.slice(0, standardCapabilitiesMax)) {
    const end = Math.min((capability.offset + capability.length + 3) & ~3, space.capturedBytes);
    for (const { at, bytes, width, value } of decode(space, capability)) {
      rule(at >= capability.offset && at + bytes <= end, 'a register lies inside its capability', at, end);
      rule(value >= 0 && value < 2 ** width, 'a value fits its field', at, value);
    }
  }
}

function isLinked(owner: Owner): boolean {
  return owner === 'capability' || owner === 'hidden-capability';
}
