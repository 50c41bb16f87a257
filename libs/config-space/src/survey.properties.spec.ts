import fc from 'fast-check';
import { type Bdf } from './bdf.js';
import { ConfigSpace } from './config-space.js';
import { type SriovRole, survey } from './survey.js';
import { buildConfigSpace, express, extendedHeader, u16, u32 } from './testing/build-config-space.js';
import { expectSound } from './testing/expect-sound.js';
import { readLspciText } from './text/read-lspci-text.js';
import { writeLspciText } from './text/write-lspci-text.js';
import { vfioView } from './vfio-view.js';

const isLong = process.env['CADASTRE_LONG'] === '1';
const seed = Number(process.env['CADASTRE_SEED'] ?? Date.now() % 2 ** 31);
const mutatedRuns = isLong ? 1_000_000 : 20_000;
const runs = (numRuns: number): fc.Parameters<unknown> => ({ seed, numRuns: isLong ? numRuns * 20 : numRuns });
const timeoutMs = isLong ? 3_600_000 : 60_000;

const roles: readonly SriovRole[] = ['none', 'pf', 'vf'];

function spaceOf(bytes: Uint8Array): ConfigSpace {
  const given = ConfigSpace.fromCapture(bytes);
  if (!given.ok) throw new Error(given.refusal.limit);
  return given.value;
}

/** Well-formed functions to start from: endpoint, root port, bridge, conventional function, dense register file. */
const wellFormed: readonly Uint8Array[] = [
  buildConfigSpace({
    standard: [{ id: 1, offset: 0x40 }, express({ offset: 0x60, lanes: 16, endEndTlpPrefix: true }),
      { id: 5, offset: 0xa0, body: u16(0x0180) }, { id: 9, offset: 0xb8, body: [0x10] }],
    extended: [{ id: 1, offset: 0x100 }, { id: 0x0b, offset: 0x150, body: u32(0x02010001) }, { id: 2, offset: 0x180 },
      { id: 0x15, offset: 0x200, body: [...u32(0xff0), ...u32(0x60)] }, { id: 0x19, offset: 0x270 },
      { id: 0x0f, offset: 0x2b0 }, { id: 0x13, offset: 0x2c0 }, { id: 0x1b, offset: 0x2d0, body: u32(0x1006) },
      { id: 0x30, offset: 0x830, body: u32(0x00012003) }],
    unlinked: [{ id: 0x16, offset: 0x3c0, next: 0x830, body: u32(7) }],
  }),
  buildConfigSpace({
    headerType: 1, classCode: 0x060400, standard: [express({ portType: 4, slot: true }), { id: 0x0d, offset: 0x90 }],
    extended: [{ id: 1, offset: 0x100 }, { id: 0x0d, offset: 0x140, body: u32(0x2820) }, { id: 0x1d, offset: 0x160,
      body: u32(0x420) },
      { id: 0x23, offset: 0x400, body: u32(0x03c11e98) }, { id: 0x2e, offset: 0x200 }],
  }),
  buildConfigSpace({ size: 256, standard: [{ id: 7, offset: 0x50 }, { id: 0x14, offset: 0x80, body: [3, 0] },
    { id: 8, offset: 0xc0 }] }),
  buildConfigSpace({ bytes: { 0x40: Array.from({ length: 0xfc0 }, (_, index) => (index * 7 + 3) & 0xff) } }),
].map((space) => space.toBytes());

/** Where a change does most: pointers, IDs, headers, length registers. */
const sensitive = fc.oneof(
  fc.integer({ min: 0x34, max: 0x100 }), fc.integer({ min: 0x100, max: 0x300 }), fc.integer({ min: 0, max: 0xfff }),
);
const mutation = fc.tuple(sensitive, fc.oneof(fc.constantFrom(0, 1, 0x10, 0x40, 0x7f, 0x80, 0xfc, 0xff), fc.nat(255)));

const mutated = fc.record({
  base: fc.nat(wellFormed.length - 1),
  changes: fc.array(mutation, { minLength: 1, maxLength: 12 }),
  captured: fc.oneof({ weight: 9, arbitrary: fc.constant(4096) }, { weight: 1, arbitrary: fc.integer({ min: 64,
    max: 4096 }) }),
}).map(({ base, changes, captured }) => {
  const bytes = Uint8Array.from(wellFormed[base] ?? []);
  for (const [offset, value] of changes) if (offset < bytes.length) bytes[offset] = value;
  return spaceOf(bytes.subarray(0, Math.min(captured, bytes.length)));
});

function expectViewsSound(space: ConfigSpace): void {
  for (const release of ['6.1', '7.2']) expectSound(vfioView(space, { release, flavour: 'nvidia' }).space);
}

function expectSameAfterRoundTrip(space: ConfigSpace): void {
  const text = writeLspciText([{ address: '0000:01:00.0' as Bdf, title: 'function', space }]);
  const back = readLspciText(text);
  if (!back.ok) throw new Error(back.refusal.problem);
  const [capture] = back.value;
  if (capture === undefined || !capture.space.equals(space)) throw new Error('other bytes after a round trip');
  expect(shown(capture.space)).toBe(shown(space));
}

/** A survey as text: comparing the objects deeply takes a hundred times as long. */
function shown(space: ConfigSpace): string {
  const { header, capabilities, unlinked, gaps, findings, owners } = survey(space);
  return JSON.stringify({ header, capabilities, unlinked, gaps, findings, runs: owners.runs() });
}

describe(`any config space (CADASTRE_SEED=${seed})`, () => {
  it(`has a sound survey when it is a mutated function, ${mutatedRuns} times`, () => {
    fc.assert(fc.property(mutated, fc.constantFrom(...roles), (space, role) => {
      expectSound(space, role);
    }), { seed, numRuns: mutatedRuns });
  }, timeoutMs);

  it('has a sound survey when it is random bytes', () => {
    const bytes = fc.uint8Array({ minLength: 64, maxLength: 4096, size: 'max' });
    fc.assert(fc.property(bytes, (given) => { expectSound(spaceOf(given)); }), runs(150));
  }, timeoutMs);

  it('has a sound survey when its lists were made to do harm', () => {
    const entry = fc.record({
      at: fc.integer({ min: 0x40, max: 0x3ff }).map((offset) => offset * 4),
      id: fc.oneof(fc.nat(0x3a), fc.constantFrom(0xffff, 0x1002)), version: fc.nat(15),
      next: fc.oneof(fc.nat(0xfff), fc.integer({ min: 0x40, max: 0x3ff }).map((offset) => offset * 4)),
      body: fc.integer({ min: 0, max: 0xffffffff }),
    });
    fc.assert(fc.property(fc.array(entry, { minLength: 1, maxLength: 200 }), fc.nat(0xffff), (entries, head) => {
      const bytes: Record<number, readonly number[]> = { 0x100: u32(extendedHeader(head & 0xff, 1,
        entries[0]?.at ?? 0)) };
      for (const { at, id, version, next, body } of entries) {
        bytes[Math.min(at, 0xff8)] = [...u32(extendedHeader(id, version, next)), ...u32(body)];
      }
      const space = buildConfigSpace({ standard: [express()], bytes });
      expectSound(space);
      expectViewsSound(space);
    }), runs(1_000));
  }, timeoutMs);

  it('has a sound view through vfio-pci', () => {
    fc.assert(fc.property(mutated, expectViewsSound), runs(2_000));
  }, timeoutMs);

  it('is the same after it was written and read', () => {
    fc.assert(fc.property(mutated, expectSameAfterRoundTrip), runs(300));
  }, timeoutMs);
});

describe('any text', () => {
  it('is read or refused with its place, never thrown at', () => {
    const line = fc.oneof(
      fc.string(), fc.constantFrom('', '00:00.0 x', '00: 00 11', '10: ff', '\t', '100: 0', `00:${' 00'.repeat(16)}`),
    );
    fc.assert(fc.property(fc.array(line).map((lines) => lines.join('\n')), (text) => {
      const given = readLspciText(text);
      const lines = text.split('\n');
      if (given.ok) return;
      expect(given.refusal.line).toBeLessThanOrEqual(lines.length);
      expect(given.refusal.column).toBeLessThanOrEqual(Math.max(1, (lines[given.refusal.line - 1] ?? '').length));
    }), runs(1_000));
  }, timeoutMs);
});
