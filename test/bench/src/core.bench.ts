import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ConfigSpace, readLspciText, survey } from '@cadastre/config-space';
import { planLayout, type PlacementPolicy } from '@cadastre/device-layout';
import { guestView, type HostFacts, profileNamed, type VmmProfile, vmmProfiles } from '@cadastre/vmm-profiles';
import { crowded } from './layout.bench.js';
import { medianMicros } from './measure.js';

const samples = new URL('../../../samples/', import.meta.url);
const policy: PlacementPolicy = {
  strategies: ['physical', 'gap'], pinned: {}, allowedRanges: [], forbiddenRanges: [],
};
const pasid = { executeSupported: 0, privilegedSupported: 1, maxPasidWidth: 16 };

function text(name: string): string {
  return readFileSync(new URL(`${name}.lspci`, samples), 'utf8');
}

/** A sample's config space. */
export function space(name: string): ConfigSpace {
  const read = readLspciText(text(name));
  const first = read.ok ? read.value[0] : undefined;
  if (!first) throw new Error(`sample ${name} cannot be read`);
  return first.space;
}

const host: HostFacts = {
  kernel: { release: '7.2', flavour: 'upstream' }, pasid: { widthBits: 16, execute: true, privileged: true },
};

/** Bytes the heap has grown by when the call ran `calls` times, garbage collected before and after. */
function heapGrowth(call: (index: number) => unknown, calls: number): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < calls; index += 1) call(index);
  collect();
  return process.memoryUsage().heapUsed - before;
}

interface SlowestView {
  readonly profile: string;
  readonly micros: number;
}

/** The profile whose prediction takes longest: found in short rounds, then measured like everything else. */
function slowestView(physical: ConfigSpace): SlowestView {
  const micros = (profile: VmmProfile, rounds?: number, roundMs?: number): number =>
    medianMicros(() => guestView(physical, profile, {}, host), rounds, roundMs);
  const { profile } = vmmProfiles.map((one) => ({ profile: one, briefly: micros(one, 9, 20) }))
    .reduce((slowest, one) => (one.briefly > slowest.briefly ? one : slowest));
  return { profile: profile.name, micros: micros(profile) };
}

export interface CoreFigures {
  readonly surveyMicros: number;
  readonly planMicros: number;
  readonly readTextMicros: number;
  readonly guestViewMicros: number;
  /** Of all profiles, on a function with 17 capabilities. */
  readonly slowestView: SlowestView;
  readonly heapGrowthBytes: number;
}

/** The pure core on the sample with the most capabilities: nine, eight of them extended and four DVSECs. */
export function benchCore(): CoreFigures {
  const richest = space('cxl-type3');
  const all = readdirSync(samples).filter((name) => name.endsWith('.lspci')).map((name) => space(name.slice(0, -6)));
  const surveyed = survey(richest);
  const dump = text('cxl-type3');
  const wanted = [{ name: 'pasid', registers: pasid }] as const;
  const profile = profileNamed('qemu-11.1');
  if (!profile.ok) throw new Error('there is no profile qemu-11.1');
  const request = { survey: surveyed, physicalFunction: null, wanted, policy };
  return {
    surveyMicros: medianMicros(() => survey(richest)),
    planMicros: medianMicros(() => planLayout(request)),
    readTextMicros: medianMicros(() => readLspciText(dump)),
    guestViewMicros: medianMicros(() => guestView(richest, profile.value, {}, host)),
    slowestView: slowestView(crowded()),
    heapGrowthBytes: heapGrowth((index) => survey(all[index % all.length] ?? richest), 100_000),
  };
}
