import { Bdf } from './bdf.js';

const from = (given: string) => Bdf.from(given);

describe('Bdf', () => {
  it.each([
    ['00:1f.3', '0000:00:1f.3'],
    ['0000:00:00.0', '0000:00:00.0'],
    ['0001:FE:1F.7', '0001:fe:1f.7'],
    ['10000:e1:00.0', '10000:e1:00.0'],
    ['00000001:02:03.4', '0001:02:03.4'],
    ['ffffffff:ff:1f.7', 'ffffffff:ff:1f.7'],
  ])('reads %s as %s', (given, expected) => {
    expect(from(given)).toEqual({ ok: true, value: expected });
  });

  it.each(['', '00', '0:1f.3', '000:00:1f.3', '000000001:00:1f.3', '00:1f', '00:1f.', '00-1f.3', ' 00:1f.3', '00:1g.0',
    '00:00.0\n', '00:00.0 '])('refuses %j, which is not an address', (given) => {
    expect(from(given)).toEqual({
      ok: false, refusal: { kind: 'not-a-bdf', given, limit: '[dddd:]bb:dd.f in hexadecimal' },
    });
  });

  it('refuses a device above 1f', () => {
    expect(from('00:20.0'))
      .toEqual({ ok: false, refusal: { kind: 'not-a-bdf', given: '00:20.0', limit: 'device 00..1f' } });
  });

  it('refuses a function above 7', () => {
    for (const given of ['00:00.8', '00:00.10', '00:00.ff']) {
      expect(from(given)).toEqual({ ok: false, refusal: { kind: 'not-a-bdf', given, limit: 'function 0..7' } });
    }
  });
});
