import { Pasid } from './pasid.js';

describe('Pasid', () => {
  it.each([0, 1, 0xfffff])('takes %p, which has at most 20 bits', (given) => {
    expect(Pasid.from(given)).toEqual({ ok: true, value: given });
  });

  it.each([-1, 0x100000, 1.5, NaN])('refuses %p with the limit', (given) => {
    expect(Pasid.from(given)).toEqual({ ok: false, refusal: { kind: 'not-a-pasid', given, limit: '0..0xfffff' } });
  });
});
