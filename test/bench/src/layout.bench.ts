import { ConfigSpace, survey } from '@cadastre/config-space';
import {
  baseline, defaultStrategies, knownQuirks, layoutDocument, type LayoutRequest, migrationVerdict,
  planLayout, readLayoutDocument, writeLayoutDocument,
} from '@cadastre/device-layout';
import { obedientVmm, profileNamed, vmmAbilities } from '@cadastre/vmm-profiles';
import { medianMicros } from './measure.js';

/** Functions of a large fleet, each with a serial number of its own. */
const fleet = 10_000;
const capabilities = 17;

/** How one function of the fleet differs from the next. */
interface Unit {
  readonly serial: number;
  readonly lanes: number;
  readonly revision: number;
  /** IDs it does not list. */
  readonly lacks: readonly number[];
  /** Bytes by which everything behind the first capabilities is further up: another firmware. */
  readonly shift: number;
}

/** Two thirds list everything in one place; the others lack something, or have it elsewhere. */
function unit(index: number): Unit {
  return {
    serial: index * 0x9e3779b1, lanes: [16, 16, 8][index % 3] ?? 16, revision: index % 5 === 0 ? 2 : 1,
    lacks: index % 7 === 3 ? [0x18] : index % 11 === 5 ? [0x25, 0x1f] : [], shift: index % 13 === 1 ? 0x20 : 0,
  };
}

/** A function with PCI Express and 16 extended capabilities, a little of everything between them. */
export function crowded({ serial, lanes, revision, lacks, shift }: Unit = unit(0)): ConfigSpace {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x00, 0x56781234, true);
  view.setUint32(0x04, 0x00100000, true);
  view.setUint32(0x08, 0x02000000 | revision, true);
  bytes[0x34] = 0x60;
  bytes.set([0x10, 0x00, 0x02, 0x00], 0x60);
  view.setUint32(0x6c, (lanes << 4) | 4, true);
  const ids = [0x01, 0x03, 0x0d, 0x0e, 0x0f, 0x15, 0x18, 0x19, 0x1e, 0x1f, 0x23, 0x25, 0x26, 0x27, 0x2e, 0x0b];
  const listed = ids.filter((id) => !lacks.includes(id));
  const placeOf = (index: number): number => 0x100 + index * 0x60 + (index > 7 ? shift : 0);
  listed.forEach((id, index) => {
    const at = placeOf(index);
    const next = index + 1 < listed.length ? placeOf(index + 1) : 0;
    view.setUint32(at, (id | (1 << 16) | (next << 20)) >>> 0, true);
    if (id === 0x0b || id === 0x23) view.setUint32(at + 4, 0x02000001, true);
    if (id === 0x03) view.setUint32(at + 4, serial >>> 0, true);
  });
  view.setUint32(0x900, 0x5a5a5a5a, true);
  const space = ConfigSpace.from(bytes);
  if (!space.ok) throw new Error('4096 bytes are a config space');
  return space.value;
}

export interface LayoutFigures {
  /** PASID, PRI and a DVSEC wanted. */
  readonly planMicros: number;
  /** PASID alone wanted: what most attaches ask for. */
  readonly pasidMicros: number;
  readonly verdictMicros: number;
  /** The same against a VMM that compares bytes when it loads a device. */
  readonly comparingMicros: number;
  readonly documentMicros: number;
  readonly baselineMillis: number;
  readonly fleet: number;
}

/** Planning, judging and sharing on functions with 17 capabilities. */
export function benchLayouts(): LayoutFigures {
  const over = survey(crowded());
  if (over.capabilities.length !== capabilities) throw new Error(`${over.capabilities.length} capabilities`);
  const wanted: LayoutRequest['wanted'] = [
    { name: 'pasid', registers: { maxPasidWidth: 20 } }, { name: 'pri', registers: {} },
    { name: 'dvsec', registers: {} },
  ];
  const request: LayoutRequest = {
    survey: over, physicalFunction: null, quirks: knownQuirks,
    policy: { strategies: defaultStrategies, pinned: {}, allowedRanges: [], forbiddenRanges: [] },
    wanted,
  };
  const pasidAlone: LayoutRequest = { ...request, wanted: wanted.slice(0, 1) };
  if (!planLayout(pasidAlone).ok) throw new Error('there is room for PASID');
  const planned = planLayout(request);
  if (!planned.ok) throw new Error(planned.refusal.kind);
  const document = layoutDocument(over, planned.value.layout, planned.value.guestConfigSpace);
  const comparingVmm = profileNamed('qemu-11.0');
  if (!comparingVmm.ok) throw new Error(comparingVmm.refusal.kind);
  const destination = { survey: survey(crowded(unit(3))), iommu: null, vmm: obedientVmm };
  const comparing = { ...destination, vmm: vmmAbilities(comparingVmm.value) };
  const functions = Array.from({ length: fleet }, (_, index) =>
    ({ source: `host-${index}`, survey: survey(crowded(unit(index))) }));
  if (migrationVerdict(document, comparing).reasons.length === 0) throw new Error('serial numbers are compared');
  const begun = performance.now();
  const shared = baseline(functions);
  const baselineMillis = performance.now() - begun;
  if (!shared.ok) throw new Error(shared.refusal.kind);
  const { dropped, relocated, narrowed } = shared.value;
  if (dropped.length === 0 || relocated.length === 0 || narrowed.length === 0) throw new Error('it is a varied fleet');
  return {
    planMicros: medianMicros(() => planLayout(request)),
    pasidMicros: medianMicros(() => planLayout(pasidAlone)),
    verdictMicros: medianMicros(() => migrationVerdict(document, destination)),
    comparingMicros: medianMicros(() => migrationVerdict(document, comparing)),
    documentMicros: medianMicros(() => readLayoutDocument(writeLayoutDocument(document)), 5),
    baselineMillis, fleet,
  };
}
