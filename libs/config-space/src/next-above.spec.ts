import { nextAbove } from './next-above.js';

describe('the next start above an offset', () => {
  it('is found in every list of up to four starts, as a plain search finds it', () => {
    const values = [0, 4, 8, 12, 16];
    for (let mask = 0; mask < 32; mask += 1) {
      const list = values.filter((_, bit) => (mask >> bit) & 1);
      for (let offset = -1; offset <= 17; offset += 1) {
        expect(nextAbove(list, offset)).toBe(list.find((one) => one > offset));
      }
    }
  });
});
