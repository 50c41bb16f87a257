import {
  type ByteRange, type ConfigPatch, type ConfigSpace, type HostKernel, ok, refuse, type Result, type SriovRole,
  type Survey,
} from '@cadastre/config-space';
import {
  type ConfigurationFragment, type GuestPort, type GuestPrediction, guestView, hostKernelOf, identitySettings,
  type ImplicitDefault, type MigrationBehaviour, type Outcome, type PasidFacts, type PredictionFinding, profileFor,
  profileNamed, type VmmNamed, type VmmUnknown,
} from '@cadastre/vmm-profiles';
import { Digest } from './digest.js';
import { type IommuFacts } from './iommu-facts.js';
import { type KnobsAnswer, knobsFor } from './knobs-for.js';
import { type Layout, type Placement } from './layout.js';
import { layoutDocument } from './make-layout-document.js';
import { patchesBetween } from './patches-between.js';
import { type PlannedLayout } from './plan-layout.js';
import { type SyntheticName } from './synthetic-capability.js';
import { type Unmet } from './unmet.js';
import { type NeededKnob } from './verdict.js';
import { vfioFunctionOf } from './vfio-function.js';

/** The VMM a device is attached for, and what its control plane sets anyway. */
export interface VmmRequest extends VmmNamed {
  readonly port: GuestPort;
  readonly settings: Readonly<Record<string, string>>;
}

/** The guest's config space as it is predicted: patches over the observed bytes, so that no profile is needed later. */
export interface PredictedGuest {
  readonly sizeBytes: number;
  readonly patches: readonly ConfigPatch[];
  readonly digest: Digest;
  /** Bytes the VMM may show otherwise; nothing tells how. */
  readonly open: readonly ByteRange[];
}

/** What one VMM makes of a layout, and what has to be set. Complete: nothing of it has to be derived again. */
export interface VmmDecision {
  readonly vmm: VmmRequest;
  readonly profile: { readonly name: string; readonly revision: number };
  readonly kernel: HostKernel;
  /** The facts about that kernel the prediction was made with. */
  readonly kernelView: GuestPrediction['kernelView'];
  /** What is guessed about the VMM or the kernel. */
  readonly assumed: readonly string[];
  /**
   * `exact`: the VMM shows the layout by itself. `obeys-with-knob`: with `knobs`, what was asked for, but for
   * `notShown`. `cannot-obey`: see `unmet`.
   */
  readonly verdict: KnobsAnswer['verdict'];
  readonly knobs: Readonly<Record<string, string>>;
  readonly configuration: readonly ConfigurationFragment[];
  readonly needs: readonly string[];
  readonly unmet: readonly Unmet[];
  /** Capabilities of the hardware that nobody asked for and the guest does not find. */
  readonly notShown: readonly Unmet[];
  readonly implicitDefault: ImplicitDefault | null;
  readonly outcome: Outcome;
  /** Null where no guest starts. */
  readonly predicted: PredictedGuest | null;
  readonly findings: readonly PredictionFinding[];
  readonly migration: MigrationBehaviour;
}

/** Everything the decision is made from. */
export interface VmmQuestion {
  readonly survey: Survey;
  readonly planned: PlannedLayout;
  readonly kernel: { readonly release: string; readonly flavour: string };
  readonly iommu: IommuFacts;
  readonly role: SriovRole;
  /** Of a VF's PF, whose IDs the kernel shows for the VF; null where it is not known, or there is none. */
  readonly family: Survey | null;
  /** As the host and the control plane call the device. */
  readonly hostBdf: string;
  readonly device: string;
  /** Whether the whole layout is asked for, as of a persona; otherwise its placements are. */
  readonly isWhole: boolean;
}

/** Predicts what a VMM shows of a planned layout, with the knobs that make it obey, and judges the two. */
export function decideVmm(vmm: VmmRequest, question: VmmQuestion): Result<VmmDecision, VmmUnknown> {
  const taken = profileFor(vmm);
  if (!taken.ok) return refuse(taken.refusal);
  const { kernel, assumed } = hostKernelOf(question.kernel);
  const { survey, planned: { layout, guestConfigSpace }, iommu, role, family, hostBdf, device, isWhole } = question;
  const answer = knobsFor(layoutDocument(survey, layout, guestConfigSpace), taken.value.profile, {
    physical: survey, role, family, kernel, pasid: pasidOf(iommu), atsSupported: iommu.atsSupported,
    port: vmm.port, settings: vmm.settings, names: { hostBdf, device },
    ...(isWhole ? {} : { asked: layout.placements }),
  });
  const { profile, verdict, settings, configuration, needs, unmet, notShown, implicitDefault, seen } = answer;
  return ok({
    vmm: { name: vmm.name, version: vmm.version, port: vmm.port, settings: vmm.settings },
    profile, kernel, kernelView: seen.kernelView,
    assumed: [...(taken.value.assumed === null ? [] : [taken.value.assumed]),
      ...(assumed ? [`kernel flavour ${question.kernel.flavour} is taken for ${kernel.flavour}`] : [])],
    verdict, knobs: settings, configuration, needs, unmet, notShown, implicitDefault, outcome: seen.outcome,
    predicted: predictedOver(survey.space, seen), findings: seen.findings, migration: seen.migration,
  });
}

/** The knobs of a decision as a verdict names them. */
export function neededKnobs(
  { knobs, profile: { name: profileName, revision } }: VmmDecision, placements: readonly Placement[],
): readonly NeededKnob[] {
  const profile = profileNamed(profileName, revision);
  const made = profile.ok ? profile.value.makesStandard : [];
  return Object.entries(knobs).map(([knob, value]): NeededKnob => {
    const field = identitySettings.find(({ setting }) => setting === knob)?.field;
    if (field !== undefined) return { capability: field, knob, offset: null, value: Number(value) };
    const name: SyntheticName = made.find(({ setting }) => setting === knob)?.name ?? 'pasid';
    const offset = placements.find((one) => one.name === name)?.offset ?? null;
    return { capability: name, knob, offset, value: Number(value) };
  });
}

function pasidOf({ maxPasidLog2, exec, priv }: IommuFacts): PasidFacts {
  return { widthBits: maxPasidLog2, execute: exec, privileged: priv };
}

/** What a decision was made from, as far as a prediction needs it. */
export type Predicted = Pick<VmmQuestion, 'iommu' | 'role' | 'family'>
  & { readonly space: ConfigSpace; readonly layout: Pick<Layout, 'patches' | 'extendedList'> };

/** The prediction a decision rests on, made again; null where this version has no such revision of the profile. */
export function predictedAgain(
  { profile: { name, revision }, vmm, knobs, kernel }: VmmDecision, { space, layout, iommu, role, family }: Predicted,
): GuestPrediction | null {
  const profile = profileNamed(name, revision);
  if (!profile.ok) return null;
  const { patches, extendedList } = layout;
  const shown = profile.value.reads === 'device-side' ? space.patched(patches) : space;
  const hasPasid = extendedList.some(({ id }) => id === 0x1b);
  return guestView(shown, profile.value, {
    port: vmm.port, settings: { ...vmm.settings, ...knobs }, patches, viommuPasid: hasPasid,
  }, { kernel, about: vfioFunctionOf(role, family), pasid: hasPasid ? pasidOf(iommu) : null,
    atsSupported: iommu.atsSupported });
}

function predictedOver(physical: ConfigSpace, { space, unpredicted }: GuestPrediction): PredictedGuest | null {
  return space && {
    sizeBytes: space.size, patches: patchesBetween(physical, space), digest: Digest.ofSpace(space),
    open: unpredicted.map(({ offset, length }) => ({ offset, length })),
  };
}
