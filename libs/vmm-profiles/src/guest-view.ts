import {
  type ConfigSpace, type Finding, type KernelViewTaken, linuxReadsExtendedSpace, type RawRange, readHeader, vfioView,
  type VfioFinding, walkExtendedCapabilities, walkStandardCapabilities,
} from '@cadastre/config-space';
import { endOfSpacePasid } from './families/extended-list.js';
import { ends, GuestImage } from './guest-image.js';
import { type HostFacts } from './host-facts.js';
import { type Knobs, numberOf, wrongSetting } from './knobs.js';
import { type GuestPrediction, type Outcome, starts, type WriteThrough } from './prediction.js';
import { reportVfio } from './report-vfio.js';
import { vfioBinding } from './vfio-binding.js';
import { type VmmProfile } from './vmm-profile.js';

/** What a VMM reads: the first stage of every prediction. */
interface FirstStage {
  readonly space: ConfigSpace;
  readonly rawWritable: readonly RawRange[];
  readonly kernel: KernelViewTaken | null;
}

/**
 * What a guest reads of a function before it wrote anything, and everything a control plane should know about it.
 * Never throws, whatever the bytes are: what makes no sense is a finding or an outcome.
 */
export function guestView(
  physical: ConfigSpace, profile: VmmProfile, knobs: Knobs, host: HostFacts,
): GuestPrediction {
  const firstFindings: VfioFinding[] = [];
  const first = firstStage(physical, profile, knobs, host, firstFindings);
  const image = new GuestImage(first.space);
  for (const one of firstFindings) reportVfio(image, one, first.kernel);
  if (firstFindings.some(({ kind }) => kind === 'capability-hidden')) {
    image.report('vfio-hidden-bytes-stay', 'K11', 'vfio-pci: what is hidden can still be read and written');
  }
  const settings = knobs.settings ?? {};
  const wrong = wrongSetting(profile.settings, settings);
  const bound = profile.reads === 'vfio-pci' ? vfioBinding(physical, image) : starts;
  const outcome: Outcome = wrong !== undefined
    ? ends('refused', 'settings', `${wrong.kind}: ${wrong.name}=${wrong.given}; it takes ${wrong.allowed}`)
    : bound.kind !== 'starts' ? bound : profile.show(image, {
      physical, host, settings, port: knobs.port ?? 'root-port', viommuPasid: knobs.viommuPasid ?? true,
    });
  if (outcome.kind === 'starts') reportImplicit(image, profile, settings);
  const space = outcome.kind === 'starts' ? image.toSpace() : null;
  const chain = space === null ? { standard: [], extended: [] } : listsOf(space, image);
  return {
    profile: { name: profile.name, revision: profile.revision }, kernelView: first.kernel,
    outcome, space, vfio: first.space, chain,
    findings: image.findings, ruled: image.ruled, unpredicted: image.unpredicted,
    migration: profile.migration,
    writeThrough: writeThroughOf(first, image, profile),
    failureMode: profile.failureMode,
  };
}

/** A place nobody named is never taken in silence, nor where nothing is made this time. */
function reportImplicit(
  image: GuestImage, { pasid }: VmmProfile, settings: Readonly<Record<string, string>>,
): void {
  if (image.findings.some(({ kind }) => kind === 'implicit-offset')) return;
  if (pasid.kind === 'end-of-space') {
    image.report('implicit-offset', 'C8', 'PASID is at 0xff8 where it is made; nothing moves it', endOfSpacePasid);
  }
  if (pasid.kind !== 'setting' || (numberOf(settings[pasid.setting]) ?? 0) !== 0) return;
  image.report('implicit-offset', 'Q15', `${pasid.setting} is not set: PASID is at 0x${
    pasid.implicitOffset.toString(16)} where it is made`, pasid.implicitOffset);
}

function firstStage(
  physical: ConfigSpace, profile: VmmProfile, knobs: Knobs, host: HostFacts, findings: VfioFinding[],
): FirstStage {
  if (profile.reads === 'device-side') return { space: physical, rawWritable: [], kernel: null };
  if (profile.reads === 'physical') {
    return { space: physical.patched(knobs.patches ?? []), rawWritable: [], kernel: null };
  }
  const view = vfioView(physical, host.kernel, host.about);
  findings.push(...view.findings);
  return view;
}

/** The lists as a guest walks them; what is wrong with them is a finding. */
function listsOf(space: ConfigSpace, image: GuestImage): GuestPrediction['chain'] {
  const wrong: Finding[] = [];
  const standard = walkStandardCapabilities(space, readHeader(space), wrong);
  const extended = linuxReadsExtendedSpace(space, standard) ? walkExtendedCapabilities(space, wrong) : [];
  for (const one of wrong) {
    if (one.kind === 'list-not-announced') continue;
    const at = 'at' in one ? one.at : 'offset' in one ? one.offset : null;
    image.report(`guest-${one.kind}`, 'chain', `a guest that walks the list meets ${one.kind}`, at);
  }
  return { standard, extended };
}

/** K2, K4 and Q20: where the guest's writes reach hardware nobody looks after. */
function writeThroughOf(
  { rawWritable }: FirstStage, image: GuestImage, { forwardsSyntheticWrites }: VmmProfile,
): readonly WriteThrough[] {
  const found: WriteThrough[] = [];
  const made = image.emulated.toSorted((a, b) => a.offset - b.offset);
  for (const { offset, length, of } of rawWritable) {
    const rule = of === 'nobody' ? 'K2' : 'K4';
    const end = Math.min(offset + length, image.size);
    let at = offset;
    for (const one of made) {
      if (one.offset >= end || one.offset + one.length <= offset) continue;
      const [from, to] = [Math.max(one.offset, at), Math.min(one.offset + one.length, end)];
      if (from > at) found.push(raw(at, from, rule));
      if (forwardsSyntheticWrites && to > from) {
        found.push({ offset: from, length: to - from, rule: 'Q20', confidence: 'D', underSynthetic: true });
      }
      at = Math.max(at, to);
    }
    if (end > at) found.push(raw(at, end, rule));
  }
  return found;
}

function raw(from: number, to: number, rule: 'K2' | 'K4'): WriteThrough {
  return { offset: from, length: to - from, rule, confidence: 'V', underSynthetic: false };
}
