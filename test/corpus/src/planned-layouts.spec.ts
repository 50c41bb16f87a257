import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Capture, survey, writeLspciText } from '@cadastre/config-space';
import {
  defaultRegisters, defaultStrategies, explainRefusal, knownQuirks, layoutDocument, type LayoutRefusal,
  type LayoutRequest, migrationVerdict, planLayout, planWhatFits, readLayoutDocument, type SyntheticName,
  writeLayoutDocument,
} from '@cadastre/device-layout';
import { obedientVmm } from '@cadastre/vmm-profiles';
import { captureFiles, corpusFolder, hasCorpus, readCaptures, unless } from './corpus.js';

const hasLspci = spawnSync('lspci', ['--version']).status === 0;
const withoutLspci = hasLspci ? '' : ' (skipped: lspci is not installed)';
const iommu = { maxPasidLog2: 20, exec: true, priv: true, atsSupported: true };
const names: readonly SyntheticName[] = ['pasid', 'pri', 'ats'];
const titles: Readonly<Partial<Record<SyntheticName, string>>> = {
  pasid: 'Process Address Space ID (PASID)', pri: 'Page Request Interface (PRI)',
  ats: 'Address Translation Service (ATS)',
};

interface Case {
  readonly file: string;
  readonly capture: Capture;
}

/** Every function of the corpus whose 4096 bytes were captured whole. */
const cases: readonly Case[] = captureFiles(corpusFolder)
  .flatMap((file) => readCaptures(join(corpusFolder, file)).map((capture) => ({ file, capture })))
  .filter(({ capture: { space } }) => space.hasExtendedSpace && space.isWhole);

function requestFor({ capture }: Case, change: Partial<LayoutRequest> = {}): LayoutRequest {
  const over = survey(capture.space);
  return {
    survey: over, physicalFunction: null, quirks: knownQuirks,
    policy: { strategies: defaultStrategies, pinned: {}, allowedRanges: [], forbiddenRanges: [] },
    wanted: names.map((name) => ({ name, registers: defaultRegisters(name, over, null, iommu) })), ...change,
  };
}

/** What lspci says of a capture, and what it complains about. */
function shownBy(folder: string, { capture }: Case, space = capture.space):
{ readonly text: string; readonly complaints: readonly string[] } {
  const file = join(folder, 'shown');
  writeFileSync(file, writeLspciText([{ ...capture, space }]));
  const { stdout, stderr } = spawnSync('lspci', ['-F', file, '-vvv', '-n'], { encoding: 'utf8' });
  const odd = /<chain looped>|<chain broken>|broken|\?\?|<access denied>/;
  return { text: stdout, complaints: [...stderr.split('\n'), ...stdout.split('\n').filter((one) => odd.test(one))]
    .map((one) => one.trim()).filter(Boolean) };
}

describe(`PASID, PRI and ATS planned for every capture${unless(hasCorpus, corpusFolder)}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-'));
  const tally = new Map<string, number>();
  const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
  afterAll(() => {
    rmSync(folder, { recursive: true });
    const rows = [...tally].sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, times]) => `${String(times).padStart(5)}  ${what}`);
    if (rows.length > 0) console.log([`${cases.length} captures of 4096 bytes`, ...rows].join('\n'));
  });
  const run = hasCorpus ? it : it.skip;

  run('are placed, or refused with every strategy that was tried', () => {
    for (const one of cases) {
      const { planned, notPlaced } = planWhatFits(requestFor(one));
      for (const { name, refusal } of notPlaced) for (const why of reasonsOf(refusal)) count(`${name} refused: ${why}`);
      expect([one.file, (planned?.layout.placements.length ?? 0) + notPlaced.length]).toEqual([one.file, names.length]);
      for (const { name, strategy, cautions } of planned?.layout.placements ?? []) {
        count(`${name} by ${strategy}`);
        for (const { kind } of cautions) count(`caution: ${kind}`);
      }
    }
  }, 120_000);

  (hasLspci ? run : it.skip)(`are read by lspci at the decided offsets, without a complaint it did not have before${
    withoutLspci}`, () => {
    for (const one of cases) {
      const { planned } = planWhatFits(requestFor(one));
      if (!planned || planned.layout.placements.length === 0) continue;
      const before = shownBy(folder, one);
      const after = shownBy(folder, one, planned.guestConfigSpace);
      const isShown = survey(one.capture.space).findings.every(({ kind }) => kind !== 'extended-without-express')
        && survey(planned.guestConfigSpace).findings.every(({ kind }) => kind !== 'extended-without-express');
      expect([one.file, after.complaints.filter((line) => !before.complaints.includes(line))]).toEqual([one.file, []]);
      for (const { name, offset, version } of isShown ? planned.layout.placements : []) {
        expect([one.file, after.text]).toEqual([one.file,
          expect.stringContaining(`[${offset.toString(16)} v${version}] ${titles[name]}`)]);
      }
    }
  }, 240_000);

  run('give documents that read back, and that the same function can show again', () => {
    for (const one of cases) {
      const request = requestFor(one);
      const { planned } = planWhatFits(request);
      if (!planned) continue;
      const document = layoutDocument(request.survey, planned.layout, planned.guestConfigSpace);
      const read = readLayoutDocument(writeLayoutDocument(document));
      expect([one.file, read.ok ? read.value : read.refusal]).toEqual([one.file, document]);
      const verdict = migrationVerdict(document, { survey: request.survey, iommu: null, vmm: obedientVmm });
      expect([one.file, verdict.reasons]).toEqual([one.file, []]);
    }
  }, 120_000);

  run('leave alone what incident 18 counts: registers outside every capability, lists out of order', () => {
    const surveys = cases.map(({ capture }) => survey(capture.space));
    const scattered = surveys.filter(({ owners }) => [...owners.runs()].some(({ owner }) =>
      owner === 'unknown-non-zero' || owner === 'not-decoded' || owner === 'alias')).length;
    const lists = surveys.map(({ capabilities }) => capabilities.filter(({ space }) => space === 'extended')
      .map(({ offset }) => offset)).filter((list) => list.length > 0);
    const outOfOrder = lists.filter((list) => list.some((at, index) => at < (list[index - 1] ?? 0))).length;
    console.log(`${scattered} of ${cases.length} captures have bytes outside every capability (93 of 111 were `
      + `counted), ${outOfOrder} of ${lists.length} extended lists are out of order (18 of 99)`);
    // Not the captures that were counted: what holds of both is that most have such bytes, and some lists such order.
    expect(scattered / cases.length).toBeGreaterThan(0.6);
    expect(outOfOrder / lists.length).toBeGreaterThan(0.05);
    expect(outOfOrder / lists.length).toBeLessThan(0.5);
  });

  const gpu = cases.find(({ file }) => file.startsWith('10de-24a0'));
  (gpu ? it : it.skip)('the RTX 3070 Ti Laptop keeps its bytes at 0xff8, where QEMU puts PASID by default', () => {
    if (!gpu) throw new Error('only run with the capture');
    const only = { wanted: requestFor(gpu).wanted.slice(0, 1) };
    const atTheEnd = planLayout(requestFor(gpu, { ...only, quirks: [], policy: {
      strategies: ['pinned'], pinned: { pasid: 0xff8 }, allowedRanges: [], forbiddenRanges: [] } }));
    if (atTheEnd.ok) throw new Error('the end of the space was taken');
    expect(atTheEnd.refusal).toMatchObject({ kind: 'no-place', refused: [
      { strategy: 'pinned', because: { kind: 'offset-occupied', owner: 'unknown-non-zero', to: 0xfff } }] });
    expect(explainRefusal(atTheEnd.refusal)).toMatch(/0xff8\.\.0xfff meets unknown-non-zero/);
    const elsewhere = planLayout(requestFor(gpu, only));
    expect(elsewhere).toMatchObject({ ok: true, value: { layout: {
      placements: [{ name: 'pasid', offset: 0x178, strategy: 'gap', reason: { kind: 'lowest-proven-gap' } }],
      evidence: { quirks: ['nvidia-scattered-registers', 'nvidia-display-and-audio'] } } } });
  });
});

/** Each strategy and why it found nothing; of other refusals their kind. */
function reasonsOf(refusal: LayoutRefusal): readonly string[] {
  if (refusal.kind !== 'no-place') return [refusal.kind];
  return [...new Set(refusal.refused.map(({ strategy, because }) => `${strategy}: ${because.kind}`))];
}
