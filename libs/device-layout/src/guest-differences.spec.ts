import { buildConfigSpace } from '@cadastre/config-space/testing';
import { guestDifferences } from './guest-differences.js';

const express = { id: 0x10, offset: 0x60, body: [0x02, 0x00] } as const;
const aer = { id: 0x01, offset: 0x100 } as const;
const pasidAt = (offset: number) => ({ id: 0x1b, offset, body: [0x04, 0x10] });
const expected = buildConfigSpace({ standard: [express], extended: [aer, pasidAt(0x300)] });

describe('what a guest reads', () => {
  it('is what it should read when every byte that counts is', () => {
    expect(guestDifferences(expected, expected)).toEqual({ differences: [], tolerated: [] });
  });

  it('may have in its own registers what it wrote there', () => {
    const seen = buildConfigSpace({ standard: [express], extended: [aer, pasidAt(0x300)],
      bytes: { 0x04: [0x06], 0x306: [0x01], 0x68: [0x1f] } });
    expect(guestDifferences(expected, seen)).toEqual({ differences: [], tolerated: [] });
  });

  it('differs where a capability is somewhere else, though the bytes below it were nobody\'s', () => {
    const moved = buildConfigSpace({ standard: [express], extended: [aer, pasidAt(0xff8)] });
    expect(guestDifferences(expected, moved).differences.map(({ offset }) => offset))
      .toEqual([0x102, 0x300, 0x302, 0x304, 0xff8, 0xffa, 0xffc]);
  });

  it('is not compared where nothing is known', () => {
    const moved = buildConfigSpace({ standard: [express], extended: [aer, pasidAt(0xff8)] });
    expect(guestDifferences(expected, moved, [{ offset: 0x100, length: 0xf00 }]).differences).toEqual([]);
  });

  it('is tolerated where it may change while it stays true', () => {
    const status = buildConfigSpace({ standard: [express], extended: [aer, pasidAt(0x300)], bytes: { 0x07: [0x20] } });
    const { differences, tolerated } = guestDifferences(expected, status);
    expect([differences, tolerated.map(({ offset }) => offset)]).toEqual([[], [0x07]]);
  });
});
