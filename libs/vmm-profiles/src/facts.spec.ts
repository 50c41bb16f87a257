import { readdirSync, readFileSync } from 'node:fs';

const counts = { K: 16, Q: 26, C: 19, O: 7, X: 5, L: 5, S: 10 } as const;
const facts = Object.entries(counts).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`));

/** Facts that say nothing about bytes of the config space or about what to set. */
const notTestable: Readonly<Record<string, string>> = {
  Q26: 'the mirror is in a BAR, which is no part of the config space',
};

const folder = new URL('.', import.meta.url);
const specs = readdirSync(folder).filter((name) => name.endsWith('.spec.ts')).map((name) =>
  ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));
const names = specs.flatMap(({ text }) =>
  [...text.matchAll(/\(\s*['"`]([KQCOXLS]\d{1,2}): /g)].map(([, fact = '']) => fact));
/** A test that is passed over proves nothing. */
const passedOver = specs.filter(({ text }) => /\b(it|describe)[.](skip|todo)\b/.test(text)).map(({ name }) => name);

describe('the facts', () => {
  it.each(facts)('%s has a test with its number, or a reason why it cannot have one', (fact) => {
    expect(names.includes(fact) !== Object.hasOwn(notTestable, fact)).toBe(true);
  });

  it('are tested: none of these tests is passed over', () => {
    expect(passedOver).toEqual([]);
  });

  it('are all there is: no test names another', () => {
    expect(names.filter((name) => !facts.includes(name))).toEqual([]);
  });
});
