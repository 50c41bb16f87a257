import { Position } from './position.js';

describe('Position', () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER])('takes %d', (given) => {
    expect(Position.from(given)).toBe(given);
  });

  it.each([-1, 0.5, NaN, Infinity, Number.MAX_SAFE_INTEGER + 1])('refuses %d', (given) => {
    expect(Position.is(given)).toBe(false);
    expect(() => Position.from(given)).toThrow(RangeError);
  });
});
