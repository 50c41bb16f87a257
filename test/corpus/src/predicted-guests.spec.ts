import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bdf, type Capture, type ConfigSpace, survey, writeLspciText } from '@cadastre/config-space';
import { type GuestPrediction, guestView, type HostFacts, vmmProfiles } from '@cadastre/vmm-profiles';
import { compareLists, type ListAgreement } from './compare-lists.js';
import { captureFiles, corpusFolder, hasCorpus, readCaptures, unless } from './corpus.js';
import { type OracleFunction, readOracle } from './oracle.js';

const hasLspci = spawnSync('lspci', ['--version']).status === 0;
const withoutLspci = hasLspci ? '' : ' (skipped: lspci is not installed)';

/** An IOMMU of 16 PASID bits: what a VMM can make, it makes. */
const host: HostFacts = {
  kernel: { release: '7.2', flavour: 'upstream' }, pasid: { widthBits: 16, execute: true, privileged: true },
};

interface Case {
  readonly file: string;
  readonly space: ConfigSpace;
}

/** Every function of the corpus whose 4096 bytes were captured whole. */
const cases: readonly Case[] = captureFiles(corpusFolder)
  .flatMap((file) => readCaptures(join(corpusFolder, file)).map(({ space }) => ({ file, space })))
  .filter(({ space }) => space.hasExtendedSpace && space.isWhole);

const predictions = new Map(vmmProfiles.map((profile) =>
  [profile.name, cases.map(({ space }) => guestView(space, profile, {}, host))] as const));

/** One address each, so that one lspci reads them all. */
function addressOf(index: number): string {
  return `0000:${(index >>> 5).toString(16).padStart(2, '0')}:${(index & 31).toString(16).padStart(2, '0')}.0`;
}

/** What lspci prints for a list it cannot follow, and what it says on stderr while it does. */
const complaint = /<chain looped>|<chain broken>|broken|\?\?|<access denied>|<unreadable>/;

interface Shown {
  readonly functions: readonly OracleFunction[];
  /** Complaints by address. */
  readonly complaints: ReadonlyMap<string, readonly string[]>;
  readonly stderr: string;
}

function shownBy(folder: string, spaces: readonly (ConfigSpace | null)[]): Shown {
  const captures = spaces.flatMap((space, index): readonly Capture[] =>
    space === null ? [] : [{ address: addressOf(index) as Bdf, title: '', space }]);
  const file = join(folder, 'shown');
  writeFileSync(file, writeLspciText(captures));
  const { stdout, stderr } = spawnSync('lspci', ['-D', '-F', file, '-vvv', '-n'],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const complaints = new Map(stdout.split(/\n(?=\S)/).map((block) => [block.slice(0, 12),
    block.split('\n').filter((line) => complaint.test(line)).map((line) => line.trim())] as const));
  return { functions: readOracle(stdout), complaints, stderr };
}

/** Findings that say that a guest cannot follow a list, or meets what is no capability: an odd order does neither. */
const breaking: readonly string[] = ['header-destroyed', 'guest-capability-list-loops', 'guest-pointer-below-space',
  'guest-header-all-ones', 'guest-header-zero', 'guest-header-not-captured'];

function foretold({ findings }: GuestPrediction): boolean {
  return findings.some(({ kind }) => breaking.includes(kind));
}

/** Headers a guest meets that the VMM neither read nor made: what is left where one was hidden is no header. */
function strayHeaders({ chain, vfio, findings }: GuestPrediction): readonly string[] {
  const read = survey(vfio).capabilities;
  const isMade = (id: number, offset: number): boolean => id === 0x1b
    && findings.some((one) => (one.kind === 'pasid-made' || one.rule === 'C8') && one.offset === offset);
  return chain.extended.filter(({ id, offset }) => id !== 0 && !(id === 0x0c && offset === 0x100)
    && !isMade(id, offset)
    && !read.some((one) => one.space === 'extended' && one.id === id && one.offset === offset))
    .map(({ id, offset }) => `${id.toString(16)}@${offset.toString(16)}`);
}

const table = (rows: readonly (readonly (string | number)[])[]): string => rows.map((row) => row.join('\t')).join('\n');

describe(`every capture as every VMM shows it${unless(hasCorpus, corpusFolder)}${withoutLspci}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-'));
  const run = hasCorpus && hasLspci ? it : it.skip;
  const rows: (readonly (string | number)[])[] = [['profile', 'read', 'list foretold odd', 'does not start']];
  let physical: Shown;
  beforeAll(() => {
    if (hasCorpus && hasLspci) physical = shownBy(folder, cases.map(({ space }) => space));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
    if (rows.length > 1) process.stdout.write(`${cases.length} captures\n${table(rows)}\n`);
  });

  const names = vmmProfiles.map(({ name }) => name);
  run.each(names)('%s: decodes as cleanly as the hardware, or a finding says why', (name) => {
    const predicted = predictions.get(name) ?? [];
    const guest = shownBy(folder, predicted.map(({ space }) => space));
    let odd = 0;
    predicted.forEach((prediction, index) => {
      const { space } = prediction;
      if (space === null) return;
      const address = addressOf(index);
      const before = physical.complaints.get(address) ?? [];
      const after = guest.complaints.get(address) ?? [];
      const theirs = guest.functions.find((one) => one.address === address)?.capabilities ?? [];
      const wrong = {
        complaints: after.filter((line) => !before.includes(line)),
        lists: compareLists(survey(space), theirs, new Map<string, ListAgreement>()),
        stray: strayHeaders(prediction),
      };
      if (wrong.complaints.length === 0 && wrong.lists === undefined && wrong.stray.length === 0) return;
      odd += 1;
      expect({ file: cases[index]?.file, ...wrong, foretold: foretold(prediction) })
        .toEqual({ file: cases[index]?.file, ...wrong, foretold: true });
    });
    const ended = predicted.filter(({ space }) => space === null).length;
    rows.push([name, predicted.length - odd - ended, odd, ended]);
    const said = (text: string): readonly string[] => [...new Set(text.split('\n'))];
    expect(said(guest.stderr).filter((line) => !said(physical.stderr).includes(line))).toEqual([]);
    expect(predicted.length).toBeGreaterThan(100);
  }, 60_000);
});

describe(`every capture with PASID where it breaks the list${unless(hasCorpus, corpusFolder)}`, () => {
  (hasCorpus ? it : it.skip)('is foretold wherever a guest meets what is no capability (reading D7)', () => {
    const qemu = vmmProfiles.find(({ name }) => name === 'qemu-11.0');
    if (!qemu) throw new Error('no qemu-11.0');
    let broken = 0;
    for (const { file, space } of cases) {
      const before = guestView(space, qemu, {}, { ...host, pasid: null });
      const second = before.chain.extended[1]?.offset ?? 0;
      const settings = { 'x-vpasid-cap-offset': `0x${Math.max(second - 4, 0x104).toString(16)}` };
      const prediction = guestView(space, qemu, { settings }, host);
      const stray = prediction.space === null ? [] : strayHeaders(prediction);
      if (stray.length > 0) broken += 1;
      expect([file, stray, stray.length > 0 && !foretold(prediction)]).toEqual([file, stray, false]);
    }
    process.stdout.write(`${broken} of ${cases.length} broken by PASID below a header, all foretold\n`);
    expect(broken).toBeGreaterThan(20);
  });
});

/** `1-3 7`: numbers in a row. */
function runs(numbers: readonly number[]): string {
  const found: [from: number, to: number][] = [];
  for (const one of numbers) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === one - 1) last[1] = one;
    else found.push([one, one]);
  }
  return found.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(' ');
}

/** Why one VMM shows a function otherwise than another: the rules under the bytes that differ. */
function rulesBetween(one: GuestPrediction, other: GuestPrediction): readonly string[] {
  if (one.space === null || other.space === null) {
    return one.outcome.kind === other.outcome.kind ? [] : [one, other].flatMap(({ outcome }) =>
      outcome.kind === 'starts' ? [] : [`${outcome.kind}: ${outcome.rule}`]);
  }
  const found = new Set<string>();
  const size = Math.max(one.space.size, other.space.size);
  const at = (prediction: GuestPrediction, offset: number): number =>
    prediction.space !== null && offset < prediction.space.size ? prediction.space.u8(offset) : 0;
  for (let offset = 0; offset < size; offset += 1) {
    if (at(one, offset) === at(other, offset)) continue;
    for (const { ruled } of [one, other]) {
      const last = ruled.findLast((range) => offset >= range.offset && offset < range.offset + range.length);
      if (last) found.add(last.rule);
    }
    if (found.size === 0) found.add('not ruled');
  }
  return [...found].sort();
}

describe(`where two VMMs differ over the corpus${unless(hasCorpus, corpusFolder)}`, () => {
  const run = hasCorpus ? it : it.skip;
  const names = vmmProfiles.filter(({ reads }) => reads === 'vfio-pci').map(({ name }) => name);
  const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other] as const));
  const differing = new Map<string, {
    readonly devices: readonly number[]; readonly rules: ReadonlyMap<string, number> }>();

  beforeAll(() => {
    for (const [one, other] of pairs) {
      const rules = new Map<string, number>();
      const devices: number[] = [];
      cases.forEach((_, index) => {
        const [ours, theirs] = [predictions.get(one)?.[index], predictions.get(other)?.[index]];
        const because = ours && theirs ? rulesBetween(ours, theirs) : [];
        if (because.length > 0) devices.push(index + 1);
        for (const rule of because) rules.set(rule, (rules.get(rule) ?? 0) + 1);
      });
      differing.set(`${one} | ${other}`, { devices, rules });
    }
  });

  run('the table', () => {
    const rows = [...differing].map(([pair, { devices, rules }]) => [pair, devices.length,
      [...rules].sort(([, one], [, other]) => other - one).map(([rule, times]) => `${rule} ${times}`).join(', '),
      runs(devices)]);
    const head = ['pair', `differ, of ${cases.length}`, 'devices by rule', 'devices'];
    const named = [...Map.groupBy(cases.keys(), (index) => cases[index]?.file ?? '')].map(([file, indexes]) =>
      `${runs(indexes.map((index) => index + 1))} ${file}`);
    process.stdout.write(`devices: ${named.join(', ')}\n${table([head, ...rows])}\n`);
    expect(differing.size).toBe(28);
  });

  /** Captures of which a prediction tells something. */
  const count = (name: string, told: (prediction: GuestPrediction) => boolean): number =>
    predictions.get(name)?.filter(told).length ?? 0;
  const has = (id: number) => ({ outcome, vfio }: GuestPrediction): boolean => outcome.kind === 'starts'
    && survey(vfio).capabilities.some((one) => one.space === 'extended' && one.id === id);
  const between = (pair: string) => {
    const { devices, rules = new Map<string, number>() } = differing.get(pair) ?? {};
    return { devices: devices?.length ?? -1, rules: [...rules.keys()].sort() };
  };

  run('QEMU 11.0 and 11.1 never do where nobody sets anything: only a setting is new (observed 11)', () => {
    expect(between('qemu-11.0 | qemu-11.1')).toEqual({ devices: 0, rules: [] });
  });

  run('QEMU 7.2 and 10.0 do where there is a REBAR to drop (observed 8), and nowhere else', () => {
    expect(between('qemu-7.2 | qemu-10.0')).toEqual({
      devices: count('qemu-7.2', has(0x15)), rules: ['Q13', 'observed 8'] });
  });

  run('QEMU 10.0 and 11.0 do where 11.0 makes PASID, and nowhere else', () => {
    const made = count('qemu-11.0', ({ chain }) => chain.extended.some(({ id }) => id === 0x1b));
    expect(made).toBeGreaterThan(0);
    expect(between('qemu-10.0 | qemu-11.0')).toEqual({ devices: made, rules: ['Q10', 'Q13', 'Q17', 'Q19'] });
  });

  run('the old Cloud Hypervisor and OpenVMM hide alike: MSI-X control differs (O1), and what has no PM (C4)', () => {
    const { devices, rules } = between('cloud-hypervisor-old | openvmm');
    expect([devices > 0, rules]).toEqual([true, ['O1', 'O2']]);
  });
});
