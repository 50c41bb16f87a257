import { readdirSync, readFileSync } from 'node:fs';

const counts = { K: 16, Q: 26, C: 19, O: 7, X: 5, L: 5, S: 10 } as const;
const facts = Object.entries(counts).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`));

/** Facts that say nothing about bytes of the config space or about what to set. */
const notTestable: Readonly<Record<string, string>> = {
  Q26: 'the mirror is in a BAR, which is no part of the config space',
};

const folder = new URL('.', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.spec.ts')).flatMap((name) =>
  [...readFileSync(new URL(name, folder), 'utf8').matchAll(/['"`]([KQCOXLS]\d{1,2}): /g)].map(([, fact = '']) => fact));

describe('the facts', () => {
  it.each(facts)('%s has a test with its number, or a reason why it cannot have one', (fact) => {
    expect(names.includes(fact) !== Object.hasOwn(notTestable, fact)).toBe(true);
  });

  it('are all there is: no test names another', () => {
    expect(names.filter((name) => !facts.includes(name))).toEqual([]);
  });
});
