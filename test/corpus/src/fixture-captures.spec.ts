import { fixtureCaptures } from './captures.js';
import { predictRefusal } from './compare-captures.js';
import { describeCaptures } from './describe-captures.js';

const captures = fixtureCaptures();

describeCaptures('of made-up functions and device models, in the repository', captures,
  { views: 100, guests: 300, probedBytes: 100_000 });

describe('a device model that vfio-pci did not give away', () => {
  it('is a bridge, or a PF that its own driver held', () => {
    const foreseen = captures.filter(({ refusal }) => refusal !== undefined).map((one): [string, boolean] =>
      [one.name, predictRefusal(one).outcome.kind === 'refused']);
    expect(foreseen.length).toBeGreaterThan(8);
    expect(new Set(foreseen.filter(([, isRefused]) => !isRefused).map(([name]) => name)))
      .toEqual(new Set(['qemu-1b36-0010-01.00.0', 'qemu-8086-10c9-02.00.0']));
  });
});
