import { StreamName } from '@cadastre/event-store';
import { StreamNames, streamNamesMax } from './stream-names.js';

const nameOf = (number: number) => StreamName.from(`device-vm${number}/gpu0`);

describe('the names of streams', () => {
  it('are known by their numbers, whatever text they were cut from', () => {
    const names = new StreamNames();
    expect([7, 3, 7].map((number) => names.own(number, nameOf(number)))).toEqual([nameOf(7), nameOf(3), nameOf(7)]);
    expect(names.size).toBe(2);
  });

  it('are forgotten when there are too many of them, and found again', () => {
    const names = new StreamNames();
    for (let number = 0; number <= streamNamesMax; number += 1) names.own(number, nameOf(number));
    expect(names.size).toBe(1);
    expect(names.own(0, nameOf(0))).toBe(nameOf(0));
  });
});
