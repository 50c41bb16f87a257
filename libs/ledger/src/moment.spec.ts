import { Moment } from './moment.js';

describe('a moment of the log', () => {
  it.each([
    ['0', { kind: 'position', position: 0 }],
    ['999999999999999', { kind: 'position', position: 999_999_999_999_999 }],
    ['2026-11-23T17:00Z', { kind: 'instant', instant: Date.UTC(2026, 10, 23, 17) }],
    ['2026-11-23T17:00:01.250Z', { kind: 'instant', instant: Date.UTC(2026, 10, 23, 17, 0, 1, 250) }],
    ['2028-02-29T00:00:00Z', { kind: 'instant', instant: Date.UTC(2028, 1, 29) }],
  ])('is %s', (given, moment) => {
    expect(Moment.from(given)).toEqual(moment);
  });

  it.each([
    '', '-1', '1.5', '1e3', '0x10', '1000000000000000', 'now', '2026-11-23', '2026-11-23T17:00:00', '2026-11-23T25:00Z',
    '2026-11-23T17:00:00+01:00', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', ' 1',
  ])('is not "%s"', (given) => {
    expect(Moment.from(given)).toBeUndefined();
  });
});
