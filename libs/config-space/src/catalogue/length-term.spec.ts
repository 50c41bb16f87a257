import { buildConfigSpace, express, u32 } from '../testing/build-config-space.js';
import {
  bits, ceilDiv, choose, evaluateLength, expressBits, farthest, headerBits, headerVersion, highestBit, ifSet, largest,
  type LengthTerm, product, recordBits, records, roundUp, sum,
} from './length-term.js';

const space = buildConfigSpace({
  headerType: 1, standard: [express({ lanes: 8 })],
  bytes: { 0x200: [...u32(0), ...u32(0xa5000003), ...u32(2), ...u32(7), ...u32(1)] }, capturedBytes: 0x220,
});
const valueOf = (term: LengthTerm, expressAt: number | undefined = 0x40): number | undefined =>
  evaluateLength(term, { space, at: 0x200, version: 3, expressAt });

describe('a length term', () => {
  it('reads a field of the capability, the header, PCI Express or its own version', () => {
    expect([valueOf(bits(4, 4, 24, 8)), valueOf(bits(7, 1, 4, 4)), valueOf(headerBits(0x0e, 1, 0, 7)),
      valueOf(expressBits(0x0c, 4, 4, 6)), valueOf(headerVersion)]).toEqual([0xa5, 0xa, 1, 8, 3]);
  });

  it('adds, multiplies, compares and rounds', () => {
    const three = bits(4, 4, 0, 3);
    expect([valueOf(sum(10, three)), valueOf(product(4, three)), valueOf(largest(2, three)), valueOf(roundUp(three, 4)),
      valueOf(ceilDiv(three, 2)), valueOf(highestBit(three))]).toEqual([13, 12, 3, 4, 2, 1]);
  });

  it('chooses by a value, and takes the rest where there is no entry', () => {
    expect([valueOf(choose(3, { 3: 30 }, 1)), valueOf(choose(4, { 3: 30 }, 1)), valueOf(ifSet(1, 8)),
      valueOf(ifSet(0, 8))])
      .toEqual([30, 1, 8, 0]);
  });

  it('walks records of varying size, and finds the farthest of a table', () => {
    // Records of 2, 7 and 1 DWORDs as their first nibble says: three of them from +8 on.
    expect(valueOf(records(8, 1, product(4, recordBits(0, 4, 0, 4))))).toBe(16);
    expect(valueOf(farthest(8, 4, 3, recordBits(0, 4, 0, 4)))).toBe(7);
  });

  it('is unknown where a number nobody knows is part of it', () => {
    expect([valueOf(null), valueOf(sum(1, null)), valueOf(choose(1, { 1: null }, 8)), valueOf(highestBit(0))])
      .toEqual([undefined, undefined, undefined, undefined]);
  });

  it('takes a register the function does not have for absent, and goes on', () => {
    const lanes = expressBits(0x0c, 4, 4, 6);
    expect([valueOf(lanes, NaN), evaluateLength(choose(lanes, { 8: 1 }, 2), { space, at: 0x200, version: 1,
      expressAt: undefined })])
      .toEqual([NaN, 2]);
  });

  it('is not a number where a register it needs was not captured, whatever is chosen by it', () => {
    const uncaptured = bits(0x20, 4, 0, 4);
    for (const term of [uncaptured, sum(1, uncaptured), product(0, uncaptured), largest(9, uncaptured),
      roundUp(uncaptured, 4), highestBit(uncaptured), choose(uncaptured, { 0: 1 }, 2), ifSet(uncaptured, 4)]) {
      expect(valueOf(term)).toBeNaN();
    }
  });

  it('gives up records that cannot fit: too many, or past the space', () => {
    expect([valueOf(records(0, 1025, 1)), valueOf(records(0, 1, 4096)), valueOf(farthest(0, 4, 1025, 1))])
      .toEqual([undefined, undefined, undefined]);
  });
});
