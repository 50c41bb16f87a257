import { type ConfigSpace } from '@cadastre/config-space';
import { type Explanation, identify } from '@cadastre/vmm-profiles';
import { type Captured, fixtureCaptures, knobsOf, observedCaptures } from './captures.js';
import { hasObserved, observedFolder, unless } from './corpus.js';

interface Seen {
  readonly name: string;
  readonly variants: readonly string[];
  readonly physical: ConfigSpace;
  readonly guest: ConfigSpace;
}

/** Every guest that started; variants of one function with the same bytes are one. */
function seenIn(captures: readonly Captured[]): readonly Seen[] {
  return captures.flatMap(({ name, kernel, physical, guests }) => {
    const alike = Map.groupBy(guests.flatMap(({ profile, variant, space }) =>
      (space === undefined ? [] : [{ profile, variant, guest: space }])),
    ({ guest }) => Buffer.from(guest.toBytes()).toString('base64'));
    return [...alike.values()].flatMap((same): readonly Seen[] => {
      const [first] = same;
      return first === undefined ? [] : [{ name: `${name} on ${kernel}, ${first.profile} ${first.variant}`, physical,
        guest: first.guest, variants: same.map(({ variant }) => variant) }];
    });
  });
}

/** What is said of each, made once. */
function identified(seen: readonly Seen[]): readonly (Seen & { readonly best: Explanation | undefined })[] {
  return seen.map((one) => ({ ...one, best: identify(one.physical, one.guest)[0] }));
}

describe.each([
  ['of made-up functions and device models, in the repository', fixtureCaptures, true, 100, 0],
  [`as captured${unless(hasObserved, observedFolder)}`, observedCaptures, hasObserved, 300, 7],
] as const)('a guest %s', (_, captures, isThere, leastGuests, leastMoved) => {
  const run = isThere ? it : it.skip;

  run('is explained to its last byte, and with MSI-X where it was moved to', () => {
    const found = identified(seenIn(captures()));
    expect(found.flatMap(({ name, best }) => (best?.differingBytes === 0 ? [] : [[name, best?.differing]])))
      .toEqual([]);
    const moved = found.filter(({ variants }) => variants.every((one) => one === 'rpmsix'));
    expect(moved.map(({ best }) => best?.settings)).toEqual(moved.map(() => knobsOf('rpmsix').settings));
    expect(found.length).toBeGreaterThanOrEqual(leastGuests);
    expect(moved.length).toBeGreaterThanOrEqual(leastMoved);
    process.stdout.write(`${found.length} guests explained, ${moved.length} of them with MSI-X moved\n`);
  }, 120_000);
});
