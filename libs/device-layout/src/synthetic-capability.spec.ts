import {
  bodyDwords, type SyntheticCapability, syntheticCapabilities, type SyntheticRegisters,
} from './synthetic-capability.js';

const pasid = (registers: SyntheticRegisters): readonly number[] => bodyDwords(syntheticCapabilities.pasid, registers);

describe('the synthetic PASID capability', () => {
  it('is extended capability 0x1b, version 1, 8 bytes', () => {
    expect(syntheticCapabilities.pasid).toMatchObject({ id: 0x1b, version: 1, lengthBytes: 8 });
  });

  // Values of the PASID Capability register that real functions show.
  it.each([
    ['0x1006', 1, 1, 16], ['0x1406', 1, 1, 20], ['0x1404', 0, 1, 20], ['0x1402', 1, 0, 20], ['0x1400', 0, 0, 20],
    ['0x0006', 1, 1, 0],
  ])('reads %s with a control register at reset', (register, execute, privileged, width) => {
    expect(pasid({ executeSupported: execute, privilegedSupported: privileged, maxPasidWidth: width }))
      .toEqual([Number(register)]);
  });

  it('has each field at its bits, and no other bit ever set', () => {
    expect(pasid({})).toEqual([0]);
    expect(pasid({ executeSupported: 1 })).toEqual([1 << 1]);
    expect(pasid({ privilegedSupported: 1 })).toEqual([1 << 2]);
    for (let width = 0; width < 32; width += 1) expect(pasid({ maxPasidWidth: width })).toEqual([width << 8]);
    expect(pasid({ executeSupported: 1, privilegedSupported: 1, maxPasidWidth: 31 })).toEqual([0x1f06]);
  });

  it.each<[SyntheticRegisters, string]>([
    [{ maxPasidWidth: 32 }, 'maxPasidWidth = 32 does not fit 5 bits'],
    [{ executeSupported: 2 }, 'executeSupported = 2 does not fit 1 bits'],
    [{ privilegedSupported: -1 }, 'privilegedSupported = -1 does not fit 1 bits'],
    [{ maxPasidWidth: 1.5 }, 'maxPasidWidth = 1.5 does not fit 5 bits'],
    [{ enable: 1 }, 'capability 27 has no field enable'],
  ])('throws on a value no field holds: %p', (registers, message) => {
    expect(() => pasid(registers)).toThrow(new RangeError(message));
  });
});

describe('a row for another capability', () => {
  const twoDwords: SyntheticCapability = {
    id: 0x13, version: 1, lengthBytes: 12, fields: { stopped: [0x04, 24, 1], high: [0x04, 31, 1], all: [0x08, 0, 32] },
  };

  it('may have fields in every DWORD behind the header, up to bit 31', () => {
    expect(bodyDwords(twoDwords, { stopped: 1, high: 1, all: 0xffffffff })).toEqual([0x81000000, 0xffffffff]);
    expect(() => bodyDwords(twoDwords, { all: 2 ** 32 })).toThrow('does not fit 32 bits');
  });
});
