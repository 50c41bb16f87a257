import { observedCaptures, observedFolderNames } from './captures.js';
import { predictRefusal } from './compare-captures.js';
import { hasObserved, observedFolder, unless } from './corpus.js';
import { describeCaptures } from './describe-captures.js';

const captures = observedCaptures();

describeCaptures(`as captured${unless(hasObserved, observedFolder)}`, captures,
  hasObserved ? { views: 100, guests: 500, probedBytes: 300_000 } : { views: 0, guests: 0, probedBytes: 0 });

describe(`a function that vfio-pci did not give away${unless(hasObserved, observedFolder)}`, () => {
  const refused = captures.filter(({ refusal }) => refusal !== undefined);
  /** PFs whose own driver held them, so that they had VFs. */
  const heldByDriver = /^qemu-(1b36-0010-01\.00\.0|8086-10c9-02\.00\.0)$/;
  const run = hasObserved ? it : it.skip;

  run('was foreseen: it is a bridge, denied, or may not open', () => {
    const foreseen = refused.map((one): [string, boolean] => {
      const { outcome, findings } = predictRefusal(one);
      return [one.name, outcome.kind === 'refused' || findings.some(({ kind }) => kind === 'may-not-open')];
    });
    expect(foreseen).toEqual(refused.map(({ name }) => [name, !heldByDriver.test(name)]));
  });

  run('was seen more than once, and nothing of the folder was left out', () => {
    expect(refused.length).toBeGreaterThan(1);
    expect(captures.length).toBe(observedFolderNames().length);
  });
});
