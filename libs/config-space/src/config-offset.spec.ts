import { ConfigOffset } from './config-offset.js';

describe('ConfigOffset', () => {
  it('takes every multiple of 4 in 0x000..0xffc and nothing else', () => {
    for (let given = -8; given < 0x1010; given += 1) {
      const expected = given >= 0 && given <= 0xffc && given % 4 === 0;
      expect([given, ConfigOffset.from(given).ok]).toEqual([given, expected]);
    }
  });

  it.each([0.5, NaN, Infinity, -Infinity, 2 ** 32])('refuses %p with the number and the limit', (given) => {
    expect(ConfigOffset.from(given)).toEqual({
      ok: false, refusal: { kind: 'not-a-config-offset', given, limit: 'a multiple of 4 in 0x000..0xffc' },
    });
  });
});
