import { ConfigSpace, survey } from '@cadastre/config-space';
import {
  baseline, defaultStrategies, knownQuirks, layoutDocument, type LayoutRequest, migrationVerdict,
  planLayout, readLayoutDocument, writeLayoutDocument,
} from '@cadastre/device-layout';
import { obedientVmm } from '@cadastre/vmm-profiles';
import { medianMicros } from './measure.js';

/** Functions of a large fleet: a third lacks a capability, a third has fewer lanes. */
const fleet = 10_000;
const capabilities = 17;

/** A function with PCI Express and 16 extended capabilities, a little of everything between them. */
function crowded(variant: number): ConfigSpace {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x00, 0x56781234, true);
  view.setUint32(0x04, 0x00100000, true);
  view.setUint32(0x08, 0x02000000, true);
  bytes[0x34] = 0x60;
  bytes.set([0x10, 0x00, 0x02, 0x00], 0x60);
  view.setUint32(0x6c, ((variant === 1 ? 8 : 16) << 4) | 4, true);
  const ids = [0x01, 0x03, 0x0d, 0x0e, 0x0f, 0x15, 0x18, 0x19, 0x1e, 0x1f, 0x23, 0x25, 0x26, 0x27, 0x2e, 0x0b];
  const listed = variant === 2 ? ids.filter((id) => id !== 0x18) : ids;
  listed.forEach((id, index) => {
    const at = 0x100 + index * 0x60;
    const next = index + 1 < listed.length ? at + 0x60 : 0;
    view.setUint32(at, (id | (1 << 16) | (next << 20)) >>> 0, true);
    if (id === 0x0b || id === 0x23) view.setUint32(at + 4, 0x02000001, true);
  });
  view.setUint32(0x900, 0x5a5a5a5a, true);
  const space = ConfigSpace.from(bytes);
  if (!space.ok) throw new Error('4096 bytes are a config space');
  return space.value;
}

export interface LayoutFigures {
  readonly planMicros: number;
  readonly verdictMicros: number;
  readonly documentMicros: number;
  readonly baselineMillis: number;
  readonly fleet: number;
}

/** Planning, judging and sharing on functions with 17 capabilities. */
export function benchLayouts(): LayoutFigures {
  const over = survey(crowded(0));
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
  const planned = planLayout(request);
  if (!planned.ok) throw new Error(planned.refusal.kind);
  const document = layoutDocument(over, planned.value.layout, planned.value.guestConfigSpace);
  const destination = { survey: survey(crowded(2)), iommu: null, vmm: obedientVmm };
  const functions = Array.from({ length: fleet }, (_, index) =>
    ({ source: `host-${index}`, survey: survey(crowded(index % 3)) }));
  const begun = performance.now();
  const shared = baseline(functions);
  const baselineMillis = performance.now() - begun;
  if (!shared.ok || shared.value.dropped.length === 0) throw new Error('the fleet shares a narrower layout');
  return {
    planMicros: medianMicros(() => planLayout(request)),
    verdictMicros: medianMicros(() => migrationVerdict(document, destination)),
    documentMicros: medianMicros(() => readLayoutDocument(writeLayoutDocument(document)), 5),
    baselineMillis, fleet,
  };
}
