import { survey } from '../survey.js';
import { buildConfigSpace, express, extendedHeader } from './build-config-space.js';

describe('a built config space', () => {
  it('links standard and extended entries in the order given', () => {
    const { capabilities, findings } = survey(buildConfigSpace({
      standard: [{ id: 1, offset: 0x40 }, express({ offset: 0x60 })],
      extended: [{ id: 1, version: 2, offset: 0x100 }, { id: 0x1b, offset: 0x148, body: [0, 0, 6, 0x14] }],
    }));
    expect(capabilities.map(({ row, version, offset }) => [row.name, version, offset])).toEqual([
      ['PM', 0, 0x40], ['EXP', 0, 0x60], ['AER', 2, 0x100], ['PASID', 1, 0x148],
    ]);
    expect(findings).toEqual([]);
  });

  it('leads from a null capability at 0x100 to a first entry elsewhere', () => {
    expect(buildConfigSpace({ extended: [{ id: 3, offset: 0x200 }] }).u32(0x100)).toBe(extendedHeader(0, 0, 0x200));
  });

  it('writes raw bytes last', () => {
    expect(buildConfigSpace({ standard: [{ id: 1, offset: 0x40 }], bytes: { 0x40: [5] } }).u8(0x40)).toBe(5);
  });

  it('throws on a part that does not fit', () => {
    expect(() => buildConfigSpace({ size: 256, bytes: { 0x100: [1] } })).toThrow('1 bytes at 256 do not fit into 256');
    expect(() => buildConfigSpace({ capturedBytes: 16 })).toThrow('cannot build 16 bytes: 64 to 4096 bytes');
  });
});
