import { ConfigSpace, readHeader } from '@cadastre/config-space';
import { expectSound } from '@cadastre/config-space/testing';
import fc from 'fast-check';
import { guestView } from './guest-view.js';
import { type HostFacts } from './host-facts.js';
import { guestPorts, type Knobs, type SettingRow } from './knobs.js';
import { nvidiaKernel, predict, samples, withPasid } from './testing.js';
import { type VmmProfile } from './vmm-profile.js';
import { vmmProfiles } from './vmm-profiles.js';

const seed = Number(process.env['CADASTRE_SEED'] ?? Date.now() % 2 ** 31);
const anySpace = fc.tuple(fc.constantFrom(...samples), fc.array(fc.tuple(
  fc.oneof(fc.integer({ min: 0x34, max: 0x2ff }), fc.nat(0xfff)),
  fc.oneof(fc.constantFrom(0, 1, 0x10, 0x15, 0x40, 0x80, 0xfc, 0xff), fc.nat(255))), { maxLength: 16 }))
  .map(([sample, edits]) => {
    const bytes = sample.toBytes();
    for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
    const space = ConfigSpace.fromCapture(bytes);
    if (!space.ok) throw new Error('a mutated sample is one');
    return space.value;
  });
const anyProfile = fc.constantFrom(...vmmProfiles);
const anyHost: fc.Arbitrary<HostFacts> = fc.constantFrom(withPasid, nvidiaKernel,
  { kernel: { release: '6.1', flavour: 'upstream' }, pasid: null });

function anyValue(row: SettingRow): fc.Arbitrary<string> {
  switch (row.kind) {
    case 'number':
    case 'numbers': return fc.integer({ min: row.min, max: row.max }).map(String);
    case 'one-of': return fc.constantFrom(...row.values);
    case 'text': return fc.stringMatching(new RegExp(`^(?:${row.pattern})$`));
  }
}

/** Knobs of which every setting is one that the profile takes. */
function anyKnobs(profile: VmmProfile): fc.Arbitrary<Knobs> {
  const values = Object.entries(profile.settings).map(([name, row]) => fc.tuple(fc.constant(name), anyValue(row)));
  const settings = values.length === 0 ? fc.constant({})
    : fc.subarray(values).chain((some) => fc.tuple(...some)).map(Object.fromEntries);
  return fc.record({
    port: fc.constantFrom(...guestPorts), settings: settings as fc.Arbitrary<Record<string, string>>,
  });
}
const anyCase = fc.tuple(anySpace, anyProfile, anyHost).chain(([space, profile, host]) =>
  fc.tuple(fc.constant(space), fc.constant(profile), anyKnobs(profile), fc.constant(host)));

/** Bytes the facts name for any VMM, worked out from the lists alone. */
function nameable(vfio: ConfigSpace, { settings = {} }: Knobs): Uint8Array {
  const named = new Uint8Array(4096);
  const name = (offset: number, length: number): unknown => named.fill(1, offset, offset + length);
  name(0, 0x40);
  name(0x51, 1);
  const { vendorId } = readHeader(vfio);
  const hasClique = Object.keys(settings).some((one) => one.includes('clique'));
  if (hasClique) name(0xc8, 0x14);
  if (vendorId === 0x8086) name(0xe8, 24);
  // QEMU masks no pointer, Cloud Hypervisor masks two bits.
  for (const mask of [0xff, 0xfc]) {
    const seen = new Set<number>();
    for (let at = vfio.u8(0x34) & mask; at !== 0 && at < 0xff && !seen.has(at); at = vfio.u8(at + 1) & mask) {
      seen.add(at);
      name(at, 2);
      const id = vfio.u8(at);
      if (id === 0x10) for (const [from, bytes] of [[2, 2], [0x0c, 8], [0x2c, 8]] as const) name(at + from, bytes);
      if (id === 0x05) name(at + 2, 0x16);
      if (id === 0x11) name(at + 2, 10);
    }
  }
  if (vfio.size === 256) return named;
  const starts = new Set<number>();
  for (let at = 0x100; at >= 0x100 && !starts.has(at); at = (vfio.u32(at) >>> 20) & 0xffc) {
    starts.add(at);
    name(at, 4);
    if (vfio.u16(at) === 0x15) name(at, 0x3c);
  }
  for (const at of starts) {
    const next = Math.min(4096, ...[...starts].filter((one) => one > at));
    if ([0x0e, 0x10, 0x15].includes(vfio.u16(at))) name(at, next - at);
  }
  name(Number(settings['x-vpasid-cap-offset'] ?? 0) || 0xff8, 8);
  return named;
}

describe(`whatever the space and whatever the VMM (CADASTRE_SEED=${seed})`, () => {
  it('a prediction is made, never thrown, and the same question gets the same answer', () => {
    fc.assert(fc.property(anyCase, ([space, profile, knobs, host]) => {
      const prediction = guestView(space, profile, knobs, host);
      const again = guestView(space, profile, knobs, host);
      expect(again.outcome).toEqual(prediction.outcome);
      if (prediction.space === null) return;
      expect(again.space?.equals(prediction.space)).toBe(true);
      expectSound(prediction.space);
    }), { seed, numRuns: 3000 });
  });

  it('no byte differs from the first stage unless a rule names it', () => {
    fc.assert(fc.property(anyCase, ([space, profile, knobs, host]) => {
      const { space: guest, vfio, ruled } = guestView(space, profile, knobs, host);
      if (guest === null) return;
      const nameableBytes = nameable(vfio, knobs);
      for (let at = 0; at < guest.size; at += 1) {
        if (guest.u8(at) === vfio.u8(at)) continue;
        const named = ruled.some(({ offset, length }) => at >= offset && at < offset + length);
        if (!named || nameableBytes[at] !== 1) throw new Error(`${profile.name} changed 0x${at.toString(16)}`);
      }
    }), { seed, numRuns: 3000 });
  });
});

describe('the samples', () => {
  it('are shown the same by QEMU 10.0, 11.0 and 11.1 without PASID', () => {
    for (const space of samples) {
      const views = ['qemu-10.0', 'qemu-11.0', 'qemu-11.1'].map((name) => predict(space, name).space);
      expect(views.every((one) => one !== null && views[0]?.equals(one))).toBe(true);
    }
  });

  it('lead a guest through a list that ends, whatever the VMM', () => {
    for (const space of samples) {
      for (const profile of vmmProfiles) {
        const { findings } = guestView(space, profile, {}, withPasid);
        const kinds = findings.filter(({ rule }) => rule === 'chain').map(({ kind }) => kind);
        expect(kinds.filter((kind) => kind !== 'guest-list-goes-backwards')).toEqual([]);
      }
    }
  });
});
