import { aliasesOf } from './alias.js';
import { buildConfigSpace, type ConfigSpaceParts } from './testing/build-config-space.js';

describe('aliases of the low space', () => {
  const low = { vendorId: 0x11ab, deviceId: 0x4363, standard: [{ id: 1, offset: 0x40 }] };
  const header = Array.from(buildConfigSpace(low).toBytes().subarray(0, 0x40));
  const aliasesIn = (parts: ConfigSpaceParts) => aliasesOf(buildConfigSpace({ ...low, ...parts }));

  it('are everything from a power of two on, when the header repeats at each multiple of it', () => {
    expect(aliasesIn({ bytes: { 0x400: header, 0x800: header, 0xc00: header, 0x500: [1] } }))
      .toEqual([{ offset: 0x400, length: 0xc00 }]);
    expect(aliasesIn({ bytes: { 0x800: header } })).toEqual([{ offset: 0x800, length: 0x800 }]);
  });

  it('are single pages when the header repeats without such an order', () => {
    expect(aliasesIn({ bytes: { 0x400: header, 0xc00: header } }))
      .toEqual([{ offset: 0x400, length: 0x100 }, { offset: 0xc00, length: 0x100 }]);
    expect(aliasesIn({ bytes: { 0x300: header } })).toEqual([{ offset: 0x300, length: 0x100 }]);
  });

  it('need all 64 bytes of the header, captured', () => {
    expect(aliasesIn({ bytes: { 0x800: header.slice(0, 0x34) } })).toEqual([]);
    expect(aliasesIn({ bytes: { 0x800: header }, capturedBytes: 0x83f })).toEqual([]);
  });

  it('are none of a function without an identity: all IDs zero or all-ones', () => {
    expect(aliasesOf(buildConfigSpace({ vendorId: 0, deviceId: 0 }))).toEqual([]);
    expect(aliasesOf(buildConfigSpace({ vendorId: 0xffff, deviceId: 0xffff }))).toEqual([]);
  });

  it('are none in 256 bytes', () => {
    expect(aliasesIn({ size: 256 })).toEqual([]);
  });
});
