import { readFileSync } from 'node:fs';
import { ConfigSpace } from '@cadastre/config-space';
import { guestView, profileNamed } from '@cadastre/vmm-profiles';
import { knobsOf } from './observed.js';

/** Runs of bytes, hexadecimal, by hexadecimal offset. */
type Runs = Readonly<Record<string, string>>;
interface Fixture {
  readonly functions: Readonly<Record<string, { size: number; bytes: Runs; hasInterrupt: boolean }>>;
  readonly guests: readonly {
    readonly function: string; readonly kernel: string; readonly profile: string; readonly variant: string;
    /** What the guest reads, or what became of QEMU. */
    readonly guest: string | { readonly size: number; readonly bytes: Runs };
  }[];
}

const { functions, guests } = JSON.parse(
  readFileSync(new URL('../fixtures/made-up-guests.json', import.meta.url), 'utf8')) as Fixture;

function write(bytes: Uint8Array, runs: Runs): Uint8Array {
  for (const [offset, digits] of Object.entries(runs)) bytes.set(Buffer.from(digits, 'hex'), parseInt(offset, 16));
  return bytes;
}

describe('a made-up function in front of a real kernel and a real QEMU', () => {
  it.each(guests)('$function on $kernel, $profile $variant', (given) => {
    const { function: name, kernel, profile: profileName, variant, guest } = given;
    const physical = functions[name];
    const profile = profileNamed(profileName);
    if (physical === undefined || !profile.ok) throw new Error(`nothing is known of ${name} or ${profileName}`);
    const space = ConfigSpace.from(write(new Uint8Array(physical.size), physical.bytes));
    if (!space.ok) throw new Error(`${name} is no config space`);
    const { space: predicted, outcome, unpredicted } = guestView(space.value, profile.value, knobsOf(variant), {
      kernel: { release: kernel, flavour: 'upstream' }, pasid: null,
      about: { hasInterrupt: physical.hasInterrupt } });
    expect(unpredicted).toEqual([]);
    if (typeof guest === 'string') {
      expect(outcome.kind).toBe(guest);
      return;
    }
    const observed = write(space.value.toBytes().subarray(0, guest.size), guest.bytes);
    const from = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0x40)).toString('hex');
    expect(predicted === null ? outcome : from(predicted.toBytes())).toEqual(from(observed));
  });

  it('was captured in more than a hundred guests', () => {
    expect(guests.length).toBeGreaterThan(100);
  });
});
