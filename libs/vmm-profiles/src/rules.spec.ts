import { type Confidence, confidenceOf, type RuleName, rules } from './rules.js';
import { device, predict, withPasid } from './testing.js';
import { vmmProfiles } from './vmm-profiles.js';

/** What the facts mark as derived or unverified as a whole; all others of theirs were read or observed. */
const marked: Readonly<Record<string, Confidence>> = { Q18: 'D', Q23: 'D', C18: 'D', C19: 'U', O5: 'U' };
const rank = { V: 0, D: 1, U: 2 } as const;

describe('how sure a rule is', () => {
  it('is what the mark of its fact says', () => {
    const facts = Object.keys(rules).filter((name) => /^[KQCOXLS]\d/.test(name)) as RuleName[];
    expect(facts.length).toBeGreaterThan(60);
    expect(facts.map((name) => [name, confidenceOf(name)])).toEqual(facts.map((name) => [name, marked[name] ?? 'V']));
    expect(Object.keys(marked).filter((name) => !Object.hasOwn(rules, name))).toEqual([]);
  });

  it('is carried by every finding, write and outcome that stands on it: never surer, at times less', () => {
    const seen = new Set<Confidence>();
    for (const { name } of vmmProfiles) {
      for (const parts of Object.values(device)) {
        const { findings, writeThrough, migration, outcome } = predict(parts, name, {}, withPasid);
        const told = [...findings, ...writeThrough, migration, outcome].flatMap((one) =>
          ('rule' in one && one.rule !== null ? [{ rule: one.rule, confidence: one.confidence }] : []));
        for (const { rule, confidence } of told) {
          seen.add(confidence);
          expect([name, rule, rank[confidence] >= rank[confidenceOf(rule)]]).toEqual([name, rule, true]);
        }
      }
    }
    expect([...seen].sort()).toEqual(['D', 'U', 'V']);
  });
});
