import { type ConfigSpace, type HostKernel, vfioWrites, type WriteMask } from '@cadastre/config-space';
import { guestWrites, profileNamed } from '@cadastre/vmm-profiles';
import { hasObserved, observedFolder, unless } from './corpus.js';
import { knobsOf, type ProbedByte, observedProbes, observedSpace } from './observed.js';

/** What the kernel makes of a write that it looks at itself, by the letters that were seen. */
const mediated: Readonly<Record<string, string>> = {
  H: 'PM control: the kernel itself sets the power state that was asked for',
  M: 'MSI control, the read request size of PCI Express, a VPD address: the kernel writes what it allows',
  D: 'a function-level reset of AF: the bit reads 0 again',
  HG: 'PM control: the kernel itself sets the power state that was asked for',
  Mg: 'MSI is enabled: QEMU programs the vectors of the host',
};

/** The letters a write would have: bits that reach the hardware and bits that are shown, nothing else. */
function lettersOf({ hardware, shown }: WriteMask, { hardware: [before], view: [seen] }: ProbedByte, byGuest: boolean) {
  const given = ~(byGuest ? seen : before) & 0xff;
  const [reached, read] = [(before & ~hardware) | (given & hardware), (seen & ~shown) | (given & shown)];
  const ofHardware = reached === before ? '-' : reached === given ? 'H' : 'M';
  const ofGuest = read === seen ? '-' : read === given ? 'G' : 'g';
  if (byGuest) return ofHardware + ofGuest;
  return ofHardware !== '-' ? ofHardware : ofGuest === '-' ? 'D' : 'V';
}

/** Probed bytes by probe, predicted letters and observed letters. */
const seen = new Map<string, number>();

function differences(
  masks: readonly WriteMask[], bytes: readonly ProbedByte[], byGuest: boolean, probe: string,
): readonly string[] {
  return bytes.flatMap((byte) => {
    const mask = masks[byte.offset];
    if (mask === undefined) return [`${byte.offset.toString(16)} is not there`];
    const expected = lettersOf(mask, byte, byGuest);
    const isMediated = mask.effect === 'mediated' && expected !== byte.effect;
    const row = [probe, isMediated ? 'mediated' : expected, byte.effect].join('\t');
    seen.set(row, (seen.get(row) ?? 0) + 1);
    if (isMediated && Object.hasOwn(mediated, byte.effect)) return [];
    return expected === byte.effect ? [] : [`${byte.offset.toString(16)}: ${expected}, and ${byte.effect} was seen`];
  });
}

function probed(folder: string): { physical: ConfigSpace; kernel: HostKernel } {
  const physical = observedSpace(folder, 'physical.lspci');
  if (physical === undefined) throw new Error(`nothing in ${folder}`);
  return { physical, kernel: { release: folder.slice(folder.lastIndexOf('.k') + 2), flavour: 'upstream' } };
}

const run = hasObserved ? it : it.skip;

describe(`a write to every byte, through vfio-pci${unless(hasObserved, observedFolder)}`, () => {
  const probes = observedProbes('vfio-write-probe.tsv').map((one): [string, typeof one] => [one.folder, one]);
  (hasObserved ? it.each(probes) : it.skip.each(probes))('%s: does what was foreseen', (folder, { bytes }) => {
    const { physical, kernel } = probed(folder);
    expect(differences(vfioWrites(physical, kernel), bytes, false, 'vfio')).toEqual([]);
  });
});

describe(`a write to every byte, by a guest of QEMU 11.1${unless(hasObserved, observedFolder)}`, () => {
  const probes = ['rp', 'rc'].flatMap((variant) => observedProbes(`guest-write-probe-${variant}.tsv`)
    .map((one): [string, string, typeof one] => [one.folder, variant, one]));
  (hasObserved ? it.each(probes) : it.skip.each(probes))('%s %s: does what was foreseen', (folder, variant, given) => {
    const { physical, kernel } = probed(folder);
    const profile = profileNamed('qemu-11.1');
    const masks = profile.ok ? guestWrites(physical, profile.value, knobsOf(variant), { kernel, pasid: null }) : null;
    if (masks === null) throw new Error(`${folder} does not start`);
    expect(differences(masks, given.bytes, true, 'guest')).toEqual([]);
  });

  run('was compared byte by byte: the table', () => {
    const rows = [...seen].sort(([one], [other]) => (one < other ? -1 : 1)).map(([row, times]) => `${row}\t${times}`);
    process.stdout.write(`${['probe\tpredicted\tobserved\tbytes', ...rows].join('\n')}\n${
      Object.entries(mediated).map(([letters, why]) => `mediated, ${letters}: ${why}`).join('\n')}\n`);
    const kinds = new Set([...seen.keys()].map((row) => row.split('\t')[1]));
    expect([...kinds].sort()).toEqual(
      ['--', '-G', '-g', 'D', 'H', 'H-', 'HG', 'M', 'MG', 'Mg', 'V', 'mediated']);
    expect([...seen.values()].reduce((all, times) => all + times, 0)).toBeGreaterThan(300_000);
  });
});
