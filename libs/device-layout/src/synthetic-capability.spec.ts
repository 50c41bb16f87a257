import {
  bodyDwords, capabilityDwords, type SyntheticCapability, syntheticCapabilities, syntheticCapability,
  type SyntheticName, type SyntheticRegisters, writableBits,
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
    space: 'extended', id: 0x13, version: 1, lengthBytes: 12,
    fields: { stopped: [0x04, 24, 1], high: [0x04, 31, 1], all: [0x08, 0, 32] },
  };

  it('may have fields in every DWORD behind the header, up to bit 31', () => {
    expect(bodyDwords(twoDwords, { stopped: 1, high: 1, all: 0xffffffff })).toEqual([0x81000000, 0xffffffff]);
    expect(() => bodyDwords(twoDwords, { all: 2 ** 32 })).toThrow('does not fit 32 bits');
  });
});

describe('a synthetic capability', () => {
  const names = Object.keys(syntheticCapabilities) as SyntheticName[];

  it.each(names)('%s has its fields, constants and controls inside its own bytes, and none of them meet', (name) => {
    const row = syntheticCapability(name);
    expect(row.lengthBytes % 4).toBe(0);
    const taken = new Map<string, string>();
    const take = (what: string, at: number, lsb: number, width: number): void => {
      expect(at % 4).toBe(0);
      expect(at).toBeLessThan(row.lengthBytes);
      for (let bit = lsb; bit < lsb + width; bit += 1) {
        expect([what, at, bit, taken.get(`${at}.${bit}`)]).toEqual([what, at, bit, undefined]);
        taken.set(`${at}.${bit}`, what);
      }
    };
    const header = row.space === 'standard' ? 16 : 32;
    take('header', 0, 0, header);
    for (const [field, [at, lsb, width]] of Object.entries(row.fields)) take(field, at, lsb, width);
    for (const [control, [at, lsb, width, onlyWith]] of Object.entries(row.controls ?? {})) {
      take(control, at, lsb, width);
      expect(onlyWith === undefined || Object.hasOwn(row.fields, onlyWith)).toBe(true);
    }
    for (const [at, value] of Object.entries(row.constants ?? {})) {
      for (let bit = 0; bit < 32; bit += 1) if ((value / 2 ** bit) % 2 >= 1) take('constant', Number(at), bit, 1);
    }
  });

  it('PRI comes up stopped: 0x0100 in its status', () => {
    expect(bodyDwords(syntheticCapabilities.pri, { outstandingPageRequestCapacity: 64 })).toEqual([0x01000000, 64, 0]);
    expect(bodyDwords(syntheticCapabilities.pri, { prgResponsePasidRequired: 1 })[0]).toBe(0x81000000);
  });

  it('a DVSEC of ours tells its own length', () => {
    expect(bodyDwords(syntheticCapabilities.dvsec, { dvsecVendorId: 0x1234, dvsecRevision: 2, dvsecId: 7 }))
      .toEqual([0x01021234, 7, 0]);
  });

  it('the NVIDIA clique is `P2P` and the clique: facts Q7 and C3', () => {
    expect(capabilityDwords(syntheticCapabilities['nvidia-clique'], { clique: 5 }))
      .toEqual([0x50080000, ((5 << 19) | 0x5032) >>> 0]);
  });

  it('the VMD shadow is `SHDW` and four addresses: fact Q8', () => {
    expect(capabilityDwords(syntheticCapabilities['vmd-shadow'], { membar1Lower: 0xe0000000, membar2Upper: 1 }))
      .toEqual([0x01180000, 0x53484457, 0xe0000000, 0, 0, 1]);
  });

  it('lets a guest write a control only with what it controls', () => {
    expect(writableBits(syntheticCapabilities.pasid, { executeSupported: 1 })).toEqual([{ offset: 4, mask: 0x30000 }]);
    expect(writableBits(syntheticCapabilities.dsn, {})).toEqual([]);
    expect(writableBits(syntheticCapabilities.pri, {})).toEqual([
      { offset: 4, mask: 0x00030003 }, { offset: 12, mask: 0xffffffff }]);
  });
});
