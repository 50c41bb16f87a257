import { scanGaps } from './gaps.js';
import { survey } from './survey.js';
import { buildConfigSpace, type ConfigSpaceParts } from './testing/build-config-space.js';

const gapsOf = (parts: ConfigSpaceParts) => survey(buildConfigSpace(parts)).gaps;

describe('gaps', () => {
  it('are what neither the header nor a linked capability holds', () => {
    expect(gapsOf({ standard: [{ id: 1, offset: 0x40 }, { id: 5, offset: 0xf0 }], extended: [{ id: 1,
      offset: 0x100 }] }))
      .toEqual([
        { offset: 0x48, length: 0xa8, zero: true }, { offset: 0xfc, length: 4, zero: true },
        { offset: 0x12c, length: 0xed4, zero: true },
      ]);
  });

  it('are not zero when one byte in them is not', () => {
    expect(gapsOf({ size: 256, standard: [{ id: 1, offset: 0x40 }], bytes: { 0xff: [1] } }))
      .toEqual([{ offset: 0x48, length: 0xb8, zero: false }]);
  });

  it('are not zero when one byte in them was not captured', () => {
    expect(gapsOf({ size: 256, capturedBytes: 0xff })).toEqual([{ offset: 0x40, length: 0xc0, zero: false }]);
  });

  it('are none where capabilities overlap or touch', () => {
    expect(gapsOf({ size: 256, standard: [{ id: 9, offset: 0x40, body: [0xc0] }, { id: 1, offset: 0x50 }] }))
      .toEqual([]);
  });

  it('hold the stray DWORDs, in order', () => {
    const space = buildConfigSpace({ size: 256, bytes: { 0x43: [1], 0x48: [1], 0xfc: [1] } });
    expect(scanGaps(space, []).strayDwords).toEqual([0x40, 0x48, 0xfc]);
  });
});
