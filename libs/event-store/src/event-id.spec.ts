import { EventId } from './event-id.js';

describe('EventId', () => {
  it('takes a UUID in lower case', () => {
    expect(EventId.from('b49e7307-aacd-8940-a71c-b92fc2b1d966')).toBe('b49e7307-aacd-8940-a71c-b92fc2b1d966');
  });

  it.each([
    '', 'B49E7307-AACD-8940-A71C-B92FC2B1D966', 'b49e7307aacd8940a71cb92fc2b1d966',
    'b49e7307-aacd-8940-a71c-b92fc2b1d96', 'b49e7307-aacd-8940-a71c-b92fc2b1d966\n',
    '{b49e7307-aacd-8940-a71c-b92fc2b1d966}', 'g49e7307-aacd-8940-a71c-b92fc2b1d966',
  ])('refuses %j', (given) => {
    expect(EventId.is(given)).toBe(false);
    expect(() => EventId.from(given)).toThrow(RangeError);
  });
});

describe('EventId.derive', () => {
  // Computed with Python's hashlib and uuid. These ids are in ledgers: they never change.
  it.each([
    ['attach-1', 0, 'b49e7307-aacd-8940-a71c-b92fc2b1d966'],
    ['attach-1', 1, 'f195e3e4-53d9-860d-b6fb-275d41cb9cf8'],
    ['\u00e9/\u{1f600}', 0, '7e199a09-c31a-8ba6-8121-2ab168673071'],
  ])('gives event %j %d the same id for ever', (key, index, id) => {
    expect(EventId.derive(key, index)).toBe(id);
  });

  it('gives every key and every index an id of its own, of UUID version 8 and the RFC variant', () => {
    const keys = ['a', 'b', 'a\u00000', 'a\u00001', 'a0', 'A', 'a ', '\u00e9', 'e\u0301'];
    const ids = keys.flatMap((key) => [0, 1, 10, 11].map((index) => EventId.derive(key, index)));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^.{8}-.{4}-8.{3}-[89ab].{3}-.{12}$/);
  });

  it.each([['', 0], ['\ud800', 0], ['a\udc00b', 0], ['a', -1], ['a', 0.5], ['a', NaN]])(
    'refuses the key %j with the index %d', (key, index) => {
      expect(() => EventId.derive(key, index)).toThrow(RangeError);
    });
});
