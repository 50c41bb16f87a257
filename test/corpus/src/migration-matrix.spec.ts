import { join } from 'node:path';
import { type ConfigSpace, survey, vfioView } from '@cadastre/config-space';
import { type LayoutDocument, layoutDocument, migrationVerdict, planLayout } from '@cadastre/device-layout';
import { type GuestPrediction, guestView, type HostFacts, vmmAbilities,
  vmmProfiles } from '@cadastre/vmm-profiles';
import { type ChangedCopy, changedCopies } from './changed-copy.js';
import { captureFiles, readCaptures, samplesFolder } from './corpus.js';

const host: HostFacts = {
  kernel: { release: '7.2', flavour: 'upstream' }, pasid: { widthBits: 16, execute: true, privileged: true },
};
const iommu = { maxPasidLog2: 16, exec: true, priv: true, atsSupported: true };

const pasid = '1b@ff8';

/** A guest's view as a layout document: PASID at the end is the VMM's, an empty head is an anchor. */
function layoutOf({ space, vfio }: GuestPrediction): LayoutDocument | undefined {
  if (space === null) return undefined;
  const over = survey(space);
  const planned = planLayout({ survey: over, physicalFunction: null, wanted: [],
    policy: { strategies: [], pinned: {}, allowedRanges: [], forbiddenRanges: [] } });
  if (!planned.ok) throw new Error(planned.refusal.kind);
  const document = layoutDocument(over, planned.value.layout, planned.value.guestConfigSpace);
  const emulated = { kind: 'emulated', writable: [] } as const;
  return { ...document, capabilities: document.capabilities.map((one) => {
    if (one.space === 'standard' || vfio.u16(one.offset) === one.id) return one;
    if (one.id === 0x1b) return { ...one, origin: 'synthetic', backing: emulated };
    return one.id === 0 && one.offset === 0x100 ? { ...one, origin: 'anchor', backing: emulated } : one;
  }) };
}

/** `1@100` for each extended capability, in list order. */
const listOf = (space: ConfigSpace): readonly string[] => survey(space).capabilities
  .filter((one) => one.space === 'extended').map(({ id, offset }) => `${id.toString(16)}@${offset.toString(16)}`);
const idOf = (entry: string): string => entry.slice(0, entry.indexOf('@'));

/** One function as the table below sees it. */
interface Sample {
  readonly file: string;
  readonly physical: ConfigSpace;
  /** What its VMM reads of it: the list of the hardware without what the kernel hides. */
  readonly vfio: readonly string[];
  readonly whole: readonly string[];
  readonly hasIoBar: boolean;
  readonly hasPm: boolean;
  readonly isBridge: boolean;
}

const always: Readonly<Record<string, readonly string[]>> = {
  'qemu-7.2': ['0', '10', 'e', '15'], 'qemu-10.0': ['0', '10', 'e'], 'qemu-11.0': ['0', '10', 'e'],
  'qemu-11.1': ['0', '10', 'e'], 'cloud-hypervisor-new': ['e', '15', '10'], 'crosvm': ['e', '10', '15'],
};
const leavesHeaders = ['cloud-hypervisor-old', 'openvmm'];
const makesPasid = ['qemu-11.0', 'qemu-11.1', 'cloud-hypervisor-new'];

/** The list a guest finds, by Q11, Q14, Q9, C5..C8, O2, X1 and nothing of our code. */
function found(by: string, { vfio, whole, hasPm }: Sample): readonly string[] {
  if (by === 'generic') return whole;
  // C4.
  if (by.startsWith('cloud-hypervisor') && !hasPm) return vfio;
  if (leavesHeaders.includes(by)) {
    return vfio.map((entry) => (['e', '15', '10'].includes(idOf(entry)) ? entry.replace(/^\w+/, '0') : entry));
  }
  const kept = vfio.filter((entry) => !(always[by] ?? []).includes(idOf(entry)));
  const makes = makesPasid.includes(by) && (by === 'cloud-hypervisor-new' || vfio.length > 0);
  return makes ? [...kept, pasid] : kept;
}

/** Why the destination cannot show what the source showed; undefined where the rules let it. */
function because(from: string, to: string, sample: Sample): string | undefined {
  const shown = found(from, sample);
  if (to === 'openvmm') return 'O4: no state can be loaded';
  if (from === 'crosvm' && sample.hasIoBar) return 'X5: crosvm showed no I/O BAR';
  if (from === 'crosvm' && sample.vfio[0] !== undefined && always['crosvm']?.includes(idOf(sample.vfio[0]))) {
    return 'X4: crosvm showed ID 000c at the head';
  }
  if (from === 'crosvm' && to.startsWith('qemu') && sample.vfio.length > shown.length) {
    return 'X3, Q12, Q22: zeroes where QEMU compares bytes';
  }
  if (shown.some((entry) => idOf(entry) === '0' && entry !== '0@100')) return 'C6, O2: a header of ID 0 in the list';
  if (to === 'generic') return undefined;
  if (sample.isBridge) return 'reading C8: vfio-pci binds no bridge';
  const capabilities = shown.filter((entry) => idOf(entry) !== '0');
  // C18: the old one has forgotten what it hid. C4: without PM the new one hides and makes nothing.
  const isIdle = to === 'cloud-hypervisor-old' || (to === 'cloud-hypervisor-new' && !sample.hasPm);
  const hidden = isIdle ? [] : always[to] ?? [];
  const hasPasid = capabilities.includes(pasid);
  if (hasPasid && (isIdle || !makesPasid.includes(to))) return 'Q14, C8: nobody there makes PASID';
  if (hasPasid && (from === 'cloud-hypervisor-new') !== (to === 'cloud-hypervisor-new')) return 'C9: the link';
  if (capabilities.some((entry) => entry !== pasid && (hidden.includes(idOf(entry)) || !sample.vfio.includes(entry)))) {
    return 'Q11, C5, K9: not shown there';
  }
  if (sample.vfio.some((entry) => !hidden.includes(idOf(entry)) && !capabilities.includes(entry))) {
    return 'C18, Q22: shown there as well';
  }
  return undefined;
}

const samples: readonly Sample[] = captureFiles(samplesFolder).flatMap((file) =>
  readCaptures(join(samplesFolder, file)).map(({ space }) => ({
    file, physical: space, vfio: listOf(vfioView(space, host.kernel).space), whole: listOf(space),
    hasIoBar: [0, 1, 2, 3, 4, 5].some((bar) => (space.u8(0x10 + 4 * bar) & 0x3) === 0x1),
    hasPm: survey(space).capabilities.some(({ space: list, id }) => list === 'standard' && id === 0x01),
    isBridge: (space.u8(0x0e) & 0x7f) === 1,
  })));
const pairs = vmmProfiles.flatMap((from) => vmmProfiles.map((to) => [from, to] as const));
/** Nobody read how these load a device: whether they compare bytes, restore their patches, or refuse. */
const unknown: ReadonlyMap<string, string> = new Map(vmmProfiles.filter(({ migration }) => migration.kind === 'unknown')
  .map(({ name, migration }) => [name, `how ${name} loads a device: ${migration.says}`]));

describe('a sample that moves from one VMM to another', () => {
  const tally = new Map<string, number>();
  afterAll(() => {
    const rows = [...tally].sort(([, one], [, other]) => other - one).map(([why, times]) => `${times}\t${why}`);
    process.stdout.write(`${samples.length} samples, ${pairs.length} pairs of profiles\n${rows.join('\n')}\n`);
  });

  it.each(pairs.map(([from, to]) => [from.name, to.name, from, to] as const))('%s to %s', (_, __, from, to) => {
    for (const sample of samples) {
      const { file, physical } = sample;
      const layout = layoutOf(guestView(physical, from, {}, host));
      if (layout === undefined) {
        tally.set('never starts', (tally.get('never starts') ?? 0) + 1);
        continue;
      }
      const there = to.reads === 'vfio-pci' ? vfioView(physical, host.kernel).space : physical;
      const given = migrationVerdict(layout, { survey: survey(there), iommu, vmm: vmmAbilities(to) });
      const why = unknown.get(to.name) ?? because(from.name, to.name, sample);
      tally.set(why ?? 'can', (tally.get(why ?? 'can') ?? 0) + 1);
      if (unknown.has(to.name)) {
        expect([file, given.unchecked]).toEqual([file, expect.arrayContaining([`how ${to.name} loads a device`])]);
        continue;
      }
      const can = to.name === 'generic' ? ['exact', 'obeys']
        : [to.pasid.kind === 'setting' && found(from.name, sample).includes(pasid) ? 'obeys' : 'exact'];
      expect([file, why, given.reasons.map(({ kind }) => kind), why === undefined ? can : ['cannot']])
        .toEqual([file, why, given.reasons.map(({ kind }) => kind), expect.arrayContaining([given.verdict])]);
    }
  });

  it('is not known where two VMMs were not read, and each says what was not', () => {
    expect([...unknown.keys()]).toEqual(['crosvm', 'libvfio-user']);
    for (const says of unknown.values()) expect(says.length).toBeGreaterThan(60);
  });

  it('is told at the source where its VMM cannot save it (O4)', () => {
    const refusing = vmmProfiles.filter((profile) => samples.some(({ physical }) =>
      guestView(physical, profile, {}, host).migration.kind === 'refuses-to-save'));
    expect(refusing.map(({ name }) => name)).toEqual(['openvmm']);
  });
});

/** Why hardware with one capability more, or one elsewhere, cannot show what the other showed. */
function becauseChanged(
  from: string, to: string, sample: Sample, { change, one, offset }: ChangedCopy,
): string | undefined {
  const before = because(from, to, sample);
  if (before !== undefined) return before;
  // It hides what is too much there, and puts what is elsewhere where the guest has it.
  if (to === 'generic') return undefined;
  const isIdle = to === 'cloud-hypervisor-old' || (to === 'cloud-hypervisor-new' && !sample.hasPm);
  const id = one.id.toString(16);
  // No guest of it finds this one, wherever it is; QEMU leaves its bytes to be read, and compares them (observed 15).
  if (!isIdle && (always[to] ?? []).includes(id)) {
    return to.startsWith('qemu') ? `Q12, Q22, observed 15: bytes of a dropped one are compared: ${id}` : undefined;
  }
  const wasShown = found(from, sample).includes(`${id}@${one.offset.toString(16)}`);
  if (change === 'added') return `one more there: ${id}`;
  return wasShown ? `elsewhere there: ${id}@${offset.toString(16)}` : undefined;
}

describe('a sample that moves to hardware with one capability added or moved', () => {
  const endOfSpace = { id: 0x1b, offset: 0xff8, length: 8 };
  const changed = samples.flatMap((sample) =>
    changedCopies(survey(sample.physical), endOfSpace).filter(({ change, one }) =>
      // A head that moves leaves an empty header, and an SR-IOV of 16 bytes is none: neither is what is asked here.
      ((change === 'added' && one.id !== 0x10) || (change === 'moved' && one.offset !== 0x100)) && vfioShows(one.id))
      .map((copy) => ({ sample, copy })));
  const tally = new Map<string, number>();
  afterAll(() => {
    const rows = [...tally].sort(([, one], [, other]) => other - one).map(([why, times]) => `${times}\t${why}`);
    process.stdout.write(`${changed.length} changed samples, ${pairs.length} pairs\n${rows.join('\n')}\n`);
  });

  it.each(pairs.filter(([, to]) => !unknown.has(to.name)).map(([from, to]) => [from.name, to.name, from, to] as const))(
    '%s to %s', (_, __, from, to) => {
      for (const { sample, copy } of changed) {
        const layout = layoutOf(guestView(sample.physical, from, {}, host));
        if (layout === undefined) continue;
        const there = to.reads === 'vfio-pci' ? survey(vfioView(copy.copy.space, host.kernel).space) : copy.copy;
        const given = migrationVerdict(layout, { survey: there, iommu, vmm: vmmAbilities(to) });
        const why = becauseChanged(from.name, to.name, sample, copy);
        const what = `${copy.change} ${copy.one.id.toString(16)}`;
        tally.set(why?.replace(/:.*/, '') ?? 'can', (tally.get(why?.replace(/:.*/, '') ?? 'can') ?? 0) + 1);
        const told = [sample.file, what, why, given.reasons.map(({ kind }) => kind)];
        expect([...told, given.verdict === 'cannot']).toEqual([...told, why !== undefined]);
      }
    });
});

/** Whether vfio-pci shows a capability of this ID at all (K9). */
function vfioShows(id: number): boolean {
  return [0x01, 0x03, 0x0e, 0x0f, 0x10, 0x18].includes(id);
}
