import { ok, refuse } from '@cadastre/config-space';
import { grantPasid, type PasidRequest, pasidRegisters } from './grant-pasid.js';
import { type IommuFacts } from './iommu-facts.js';

const iommu = (change: Partial<IommuFacts> = {}): IommuFacts =>
  ({ maxPasidLog2: 20, exec: false, priv: false, atsSupported: true, ...change });
const whatever: PasidRequest = { widthBits: null, exec: null, priv: null };

describe('a PASID grant', () => {
  it('has the width asked for, clamped to what the IOMMU carries, for every legal pair', () => {
    for (let widthBits = 1; widthBits <= 20; widthBits += 1) {
      for (let maxPasidLog2 = 0; maxPasidLog2 <= 20; maxPasidLog2 += 1) {
        const granted = grantPasid({ ...whatever, widthBits }, iommu({ maxPasidLog2 }));
        if (maxPasidLog2 === 0) {
          expect(granted).toEqual(refuse({ kind: 'pasid-not-supported', maxPasidLog2: 0 }));
        } else if (widthBits <= maxPasidLog2) {
          expect(granted).toEqual(ok({ widthBits, clampedFrom: null, exec: false, priv: false }));
        } else {
          expect(granted).toEqual(ok({ widthBits: maxPasidLog2, clampedFrom: widthBits, exec: false, priv: false }));
        }
      }
    }
  });

  it('has all the IOMMU has when nothing is asked for', () => {
    expect(grantPasid(whatever, iommu({ maxPasidLog2: 16, exec: true })))
      .toEqual(ok({ widthBits: 16, clampedFrom: null, exec: true, priv: false }));
    expect(grantPasid(whatever, iommu({ priv: true })))
      .toEqual(ok({ widthBits: 20, clampedFrom: null, exec: false, priv: true }));
  });

  it('never exceeds 20 bits, even when an IOMMU claims more', () => {
    expect(grantPasid(whatever, iommu({ maxPasidLog2: 32 }))).toMatchObject({ value: { widthBits: 20 } });
  });

  it.each([0, 21, -1, 1.5, NaN, Infinity])('is refused for a width of %p bits', (widthBits) => {
    expect(grantPasid({ ...whatever, widthBits }, iommu()))
      .toEqual(refuse({ kind: 'pasid-width-out-of-range', widthBits, least: 1, most: 20 }));
  });

  it.each([0, -1, NaN])('is refused by an IOMMU whose PASIDs have %p bits', (maxPasidLog2) => {
    expect(grantPasid(whatever, iommu({ maxPasidLog2 })))
      .toEqual(refuse({ kind: 'pasid-not-supported', maxPasidLog2 }));
  });

  it('leaves out a permission the IOMMU has when it is not wanted', () => {
    expect(grantPasid({ widthBits: null, exec: false, priv: false }, iommu({ exec: true, priv: true })))
      .toMatchObject({ value: { exec: false, priv: false } });
  });

  it.each([[true, true], [true, false], [false, true], [false, false]])(
    'is refused a permission the IOMMU lacks: execute %p, privileged %p', (exec, priv) => {
      const asked = (change: Partial<PasidRequest>) => grantPasid({ ...whatever, ...change }, iommu({ exec, priv }));
      expect(asked({ exec: true })).toMatchObject(
        exec ? { value: { exec: true, priv } } : { refusal: { kind: 'pasid-execute-not-supported' } });
      expect(asked({ priv: true })).toMatchObject(
        priv ? { value: { exec, priv: true } } : { refusal: { kind: 'pasid-privileged-not-supported' } });
    });
});

describe('the registers of a grant', () => {
  it('tell a guest the granted width and permissions', () => {
    expect(pasidRegisters({ widthBits: 16, clampedFrom: 20, exec: true, priv: false }))
      .toEqual({ executeSupported: 1, privilegedSupported: 0, maxPasidWidth: 16 });
    expect(pasidRegisters({ widthBits: 1, clampedFrom: null, exec: false, priv: true }))
      .toEqual({ executeSupported: 0, privilegedSupported: 1, maxPasidWidth: 1 });
  });
});
