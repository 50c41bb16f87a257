import { join } from 'node:path';
import { type Survey, survey } from '@cadastre/config-space';
import {
  defaultRegisters, defaultStrategies, knownQuirks, layoutDocument, type LayoutDocument, migrationVerdict,
  planWhatFits, type Verdict,
} from '@cadastre/device-layout';
import { obedientVmm, type VmmAbilities } from '@cadastre/vmm-profiles';
import { type ChangedCopy, changedCopies, type Member } from './changed-copy.js';
import { captureFiles, corpusFolder, hasCorpus, readCaptures, unless } from './corpus.js';

const iommu = { maxPasidLog2: 20, exec: true, priv: true, atsSupported: true };
const knobs: VmmAbilities = { ...obedientVmm, profile: 'knobs', placing: 'pinned-by-setting', makes: [0x1b],
  setting: 'offset', hides: [0x00, 0x0e, 0x10], migration: 'compares-bytes', exemptsVendorBytes: true };
const packing: VmmAbilities = { ...obedientVmm, profile: 'packing', placing: 'end-of-space-only', makes: [0x1b],
  hides: [0x0e, 0x10, 0x15], migration: 'restores-patches' };
const plain: VmmAbilities = { ...obedientVmm, profile: 'plain', placing: 'none', makes: [],
  migration: 'restores-patches' };
const documents: VmmAbilities = { ...obedientVmm, profile: 'documents' };
const vmms = [documents, knobs, packing, plain];

/** Findings about a list that cannot be linked anew. */
const noList: readonly string[] = ['capability-list-loops', 'header-zero', 'all-ones'];

const shown = (offset: number): string => offset.toString(16);
/** What a reason names, without the bytes that follow from it. */
function named(verdict: Verdict): readonly string[] {
  return verdict.reasons.flatMap((one) => {
    switch (one.kind) {
      case 'bytes-differ': return [];
      case 'offset-would-move': return [`${one.kind} ${one.id} ${shown(one.layout)} ${shown(one.destination)}`];
      case 'capability-missing': case 'capability-extra': case 'vmm-hides-it': case 'vmm-cannot-place-it':
        return [`${one.kind} ${one.id} ${shown(one.offset)}`];
      case 'place-taken': return [`${one.kind} ${one.id} ${shown(one.at)}`];
      case 'register-weaker': return [`${one.field} ${one.id} ${shown(one.offset)}`];
      case 'capability-shape-differs': return [`${one.member} ${one.id} ${shown(one.offset)}`];
      default: return [JSON.stringify(one)];
    }
  }).sort();
}

/** The oracle for a function that goes nowhere: what the VMM takes away, and where it cannot put PASID. */
function atHome({ capabilities }: LayoutDocument, { placing, hides }: VmmAbilities): readonly string[] {
  if (placing === 'whole-document') return [];
  return capabilities.filter(({ space }) => space === 'extended').flatMap(({ id, offset, origin }) => {
    if (origin === 'physical') {
      // A null capability at 0x100 is what is read there when a VMM takes the first one away.
      const isGone = hides.includes(id) && !(id === 0 && offset === 0x100);
      return isGone ? [`vmm-hides-it ${id} ${shown(offset)}`] : [];
    }
    if (origin !== 'synthetic') return [];
    if (placing === 'none') return [`vmm-cannot-place-it ${id} ${shown(offset)}`];
    return placing === 'end-of-space-only' && offset !== 0xff8 ? [`offset-would-move ${id} ${shown(offset)} ff8`] : [];
  });
}

/** The oracle for one change, seen from a guest of the original and from a guest of the copy. */
function because(
  { change, one: { id, offset }, offset: there }: ChangedCopy, way: 'there' | 'back', vmm: VmmAbilities,
): readonly string[] {
  const obeys = vmm.placing === 'whole-document';
  // What a VMM takes away is missed at home already.
  if (!obeys && vmm.hides.includes(id)) return [];
  const goes = change === 'removed' ? way === 'there' : way === 'back';
  switch (change) {
    case 'added': case 'removed':
      return goes ? [`capability-missing ${id} ${shown(offset)}`]
        : obeys ? [] : [`capability-extra ${id} ${shown(offset)}`];
    case 'moved': {
      const [from, to] = way === 'there' ? [offset, there] : [there, offset];
      return obeys ? [] : [`offset-would-move ${id} ${shown(from)} ${shown(to)}`];
    }
    case 'grown': {
      if (way === 'there') return obeys ? [] : [`length ${id} ${shown(offset)}`];
      // With its vector an ACS capability gets egress control, which the original cannot do.
      const weaker = id === 0x0d ? [`accessControlServices ${id} ${shown(offset)}`] : [];
      return [`length ${id} ${shown(offset)}`, ...weaker];
    }
  }
}

/** The oracle for the place of PASID: a VMM that obeys documents hides or moves whatever the copy has there. */
function underPasid(pasid: Member | undefined, { owners }: Survey, vmm: VmmAbilities): readonly string[] {
  if (!pasid || vmm.placing === 'whole-document') return [];
  const at = owners.firstTaken(pasid);
  return at === undefined ? [] : [`place-taken ${pasid.id} ${shown(at)}`];
}

interface Guest {
  readonly layout: LayoutDocument;
  readonly pasid: Member | undefined;
}

/** A guest that runs on a function: with PASID where there is a place for it. */
function guestOn(over: Survey, wanted: boolean): Guest | undefined {
  const { planned } = planWhatFits({
    survey: over, physicalFunction: null, quirks: knownQuirks,
    policy: { strategies: defaultStrategies, pinned: {}, allowedRanges: [], forbiddenRanges: [] },
    wanted: wanted ? [{ name: 'pasid', registers: defaultRegisters('pasid', over, null, iommu) }] : [],
  });
  if (!planned) return undefined;
  const layout = layoutDocument(over, planned.layout, planned.guestConfigSpace);
  return { layout, pasid: layout.capabilities.find(({ origin }) => origin === 'synthetic') };
}

/** Bytes no structure of the guest's holds, that the two hardwares read differently. */
function unlikeGaps({ ranges }: LayoutDocument, here: Survey, there: Survey): readonly number[] {
  return ranges.filter(({ provenance }) => provenance.rule === 'gap' && provenance.by === 'hardware')
    .flatMap(({ offset, length }) => Array.from({ length }, (_, index) => offset + index))
    .filter((at) => here.space.u8(at) !== there.space.u8(at));
}

function comparedGaps({ ranges }: LayoutDocument, { reasons }: Verdict): readonly number[] {
  const isGap = (at: number): boolean => ranges.some(({ offset, length, provenance }) => provenance.rule === 'gap'
    && provenance.by === 'hardware' && at >= offset && at < offset + length);
  return reasons.flatMap((one) => (one.kind === 'bytes-differ' && one.why === 'vmm-compares-them'
    ? Array.from({ length: one.length }, (_, index) => one.offset + index) : [])).filter(isGap);
}

describe(`a guest moved between real models${unless(hasCorpus, corpusFolder)}`, () => {
  const run = hasCorpus ? it : it.skip;
  const tally = new Map<string, number>();
  afterAll(() => {
    const rows = [...tally].sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, times]) => `${String(times).padStart(6)}  ${what}`);
    if (rows.length > 0) console.log([`${originals.length} functions`, ...rows].join('\n'));
  });
  const originals = captureFiles(corpusFolder).flatMap((file) => readCaptures(join(corpusFolder, file))
    .map(({ space }) => ({ file, over: survey(space) })))
    .filter(({ over: { space, findings } }) => space.hasExtendedSpace && space.isWhole
      && !findings.some(({ kind }) => noList.includes(kind)));

  function judged(what: string, { layout }: Guest, to: Survey, vmm: VmmAbilities): Verdict {
    const verdict = migrationVerdict(layout, { survey: to, iommu, vmm });
    const row = `${what}: ${vmm.profile} ${verdict.verdict}`;
    tally.set(row, (tally.get(row) ?? 0) + 1);
    return verdict;
  }

  run('finds its own function exactly as it was, but for what the VMM takes away', () => {
    for (const { file, over } of originals) {
      const bare = guestOn(over, false);
      if (!bare) continue;
      for (const vmm of vmms) {
        const expected = atHome(bare.layout, vmm).length > 0 ? 'cannot' : 'exact';
        const { verdict } = judged('to itself', bare, over, vmm);
        expect([file, vmm.profile, verdict]).toEqual([file, vmm.profile, expected]);
      }
    }
  });

  run('is told what one extended capability more, less, elsewhere or longer means, and nothing else', () => {
    for (const { file, over } of originals) {
      const guest = guestOn(over, true);
      if (!guest) continue;
      for (const one of changedCopies(over, guest.pasid)) {
        const ways = [['there', guest, over, one.copy], ['back', guestOn(one.copy, true), one.copy, over]] as const;
        for (const [way, here, from, to] of ways) {
          if (!here) continue;
          for (const vmm of vmms) {
            const about = [file, one.change, way, shown(one.one.offset), vmm.profile].join(' ');
            const verdict = judged(`${one.change} ${way}`, here, to, vmm);
            const expected = [
              ...atHome(here.layout, vmm), ...because(one, way, vmm), ...underPasid(here.pasid, to, vmm)];
            expect([about, ...named(verdict)]).toEqual([about, ...expected.sort()]);
            if (vmm === documents) expect(verdict.reasons).toHaveLength(expected.length);
            if (vmm.migration === 'compares-bytes') {
              expect([about, comparedGaps(here.layout, verdict)]).toEqual([about, unlikeGaps(here.layout, from, to)]);
            }
          }
        }
      }
    }
  }, 120_000);
});
