import { ok } from '@cadastre/config-space';
import { registersNamed, requestedRegisters } from './requested-registers.js';

describe('the registers of a capability that a request fills', () => {
  it('are those it gives, up to the widest value of each field', () => {
    expect(requestedRegisters('dsn', { serialNumberLower: 0xffffffff, serialNumberUpper: 0 }))
      .toEqual(ok({ serialNumberLower: 0xffffffff, serialNumberUpper: 0 }));
    expect(requestedRegisters('nvidia-clique', { clique: 15 })).toEqual(ok({ clique: 15 }));
  });

  it('cannot be left out altogether', () => {
    expect(requestedRegisters('nvidia-clique', {}))
      .toMatchObject({ refusal: { kind: 'registers-missing', fields: ['clique'] } });
  });

  it('must be fields of the capability', () => {
    expect(requestedRegisters('dsn', { serial: 1 })).toMatchObject({
      refusal: { kind: 'register-unknown', field: 'serial', fields: ['serialNumberLower', 'serialNumberUpper'] } });
    expect(requestedRegisters('dsn', { toString: 1 })).toMatchObject({ refusal: { kind: 'register-unknown' } });
  });

  it.each([16, -1, 0.5, Number.NaN])('must fit their field: a clique of %p does not', (clique) => {
    expect(requestedRegisters('nvidia-clique', { clique }))
      .toMatchObject({ refusal: { kind: 'register-out-of-range', field: 'clique', most: 15 } });
  });

  it('may be named by what its halves share', () => {
    expect(registersNamed('dsn', 'serialNumber', 0x0123456789abcdefn))
      .toEqual({ serialNumberLower: 0x89abcdef, serialNumberUpper: 0x01234567 });
    expect(registersNamed('vmd-shadow', 'membar2', 1n)).toEqual({ membar2Lower: 1, membar2Upper: 0 });
    expect(registersNamed('dsn', 'serialNumberUpper', 7n)).toEqual({ serialNumberUpper: 7 });
    expect(registersNamed('nvidia-clique', 'clique', 0x100000000n)).toEqual({ clique: 0x100000000 });
  });
});
