import { upcast, type Upcasts } from './upcast.js';

describe('an upcast', () => {
  const steps: Upcasts = {
    1: (data) => ({ ...data, firmware: null }),
    2: (data) => ({ ...data, firmware: { version: Object.hasOwn(data, 'firmware') ? 'told' : 'untold' } }),
  };

  it('takes every step from the schema that was written to the one that is read', () => {
    expect(upcast({ host: 'a' }, 1, 3, steps)).toEqual({ host: 'a', firmware: { version: 'told' } });
    expect(upcast({ host: 'a' }, 2, 3, steps)).toEqual({ host: 'a', firmware: { version: 'untold' } });
  });

  it('of the newest schema is the data itself', () => {
    const data = { host: 'a' };
    expect(upcast(data, 3, 3, steps)).toBe(data);
  });

  it.each([
    ['a step is missing', 3, 4], ['the schema is of a later version', 4, 3], ['there is no such schema', 0, 3],
    ['the schema is no number', Number.NaN, 3],
  ])('leads nowhere when %s', (_, from, to) => {
    expect(upcast({}, from, to, steps)).toBeUndefined();
  });
});
