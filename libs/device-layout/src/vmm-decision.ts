import {
  type ByteRange, type ConfigPatch, type ConfigSpace, type HostKernel, ok, refuse, type Result, type SriovRole,
  type Survey,
} from '@cadastre/config-space';
import {
  type ConfigurationFragment, type GuestPort, type GuestPrediction, guestView, hostKernelOf, type Knobs, knobsFor,
  type KnobsAnswer, type MigrationBehaviour, type Outcome, type PasidFacts, type PredictionFinding, profileFor,
  profileNamed, type VmmNamed, type VmmProfile, type VmmUnknown,
} from '@cadastre/vmm-profiles';
import { Digest } from './digest.js';
import { type IommuFacts } from './iommu-facts.js';
import { type Layout, type Placement } from './layout.js';
import { type IdentityField } from './layout-operation.js';
import { patchesBetween } from './patches-between.js';
import { type PlannedLayout } from './plan-layout.js';
import { type HiddenByVmm, hiddenBy, type Unmet, unmetBy } from './unmet.js';
import { type SyntheticName } from './synthetic-capability.js';
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
  /** What is guessed about the VMM or the kernel. */
  readonly assumed: readonly string[];
  /** `exact`: the VMM shows the layout by itself. `obeys-with-knob`: with `knobs`. `cannot-obey`: see `unmet`. */
  readonly verdict: KnobsAnswer['verdict'];
  readonly knobs: Readonly<Record<string, string>>;
  readonly configuration: readonly ConfigurationFragment[];
  readonly needs: readonly string[];
  readonly unmet: readonly Unmet[];
  readonly hidden: readonly HiddenByVmm[];
  readonly implicitDefault: KnobsAnswer['implicitDefault'];
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
}

/**
 * Predicts what a VMM shows of a planned layout and finds the knobs that make it obey. What the VMM does of itself is
 * predicted first, then with the knobs; the verdict is about the second, byte for byte.
 */
export function decideVmm(vmm: VmmRequest, question: VmmQuestion): Result<VmmDecision, VmmUnknown> {
  const taken = profileFor(vmm);
  if (!taken.ok) return refuse(taken.refusal);
  const { profile } = taken.value;
  const { kernel, assumed } = hostKernelOf(question.kernel);
  const { survey: { space }, planned: { layout }, iommu, role, family } = question;
  const from: Predicted = { space, layout, iommu, role, family };
  const answer = knobsOf(profile, predict(profile, vmm, kernel, from).vfio, question);
  const knobs = { ...answer.settings, ...ownKnobs(profile, layout) };
  const seen = predict(profile, { ...vmm, settings: { ...vmm.settings, ...knobs } }, kernel, from);
  const unmet = unmetBy(seen, answer, question.planned, question.survey);
  return ok({
    vmm: { name: vmm.name, version: vmm.version, port: vmm.port, settings: vmm.settings },
    profile: { name: profile.name, revision: profile.revision },
    kernel,
    assumed: [...(taken.value.assumed === null ? [] : [taken.value.assumed]),
      ...(assumed ? [`kernel flavour ${question.kernel.flavour} is taken for ${kernel.flavour}`] : [])],
    verdict: unmet.length > 0 ? 'cannot-obey' : Object.keys(knobs).length > 0 ? 'obeys-with-knob' : 'exact',
    knobs, configuration: answer.configuration, needs: answer.needs, unmet, hidden: hiddenBy(seen, question.planned),
    implicitDefault: answer.implicitDefault, outcome: seen.outcome,
    predicted: predictedOver(space, seen), findings: seen.findings, migration: seen.migration,
  });
}

/** What must be set for the extended capabilities that the VMM does not already find in the hardware. */
function knobsOf(profile: VmmProfile, vfio: ConfigSpace, question: VmmQuestion): KnobsAnswer {
  const { hostBdf, device, iommu, planned } = question;
  const wanted = planned.layout.placements.filter(({ space, id, offset }) =>
    space === 'extended' && (!vfio.captured(offset, 4) || (vfio.u32(offset) & 0xffff) !== id));
  return knobsFor(wanted, profile, { hostBdf, device, pasid: pasidOf(iommu) });
}

const identitySettings: Readonly<Partial<Record<IdentityField, string>>> = {
  vendorId: 'x-pci-vendor-id', deviceId: 'x-pci-device-id', subsystemVendorId: 'x-pci-sub-vendor-id',
  subsystemId: 'x-pci-sub-device-id', classCode: 'x-pci-class-code',
};
const cliqueSettings = ['x-nv-gpudirect-clique', 'x_nv_gpudirect_clique'];

/** Knobs of the rest of a layout: the GPUDirect clique (Q7, C3) and other IDs (Q24). */
function ownKnobs(
  { settings }: VmmProfile, { placements, operations }: PlannedLayout['layout'],
): Readonly<Record<string, string>> {
  const has = (name: string | undefined): name is string => name !== undefined && Object.hasOwn(settings, name);
  const clique = placements.find(({ name }) => name === 'nvidia-clique')?.registers['clique'];
  const found = clique === undefined ? [] : cliqueSettings.filter(has).map((name) => [name, String(clique)] as const);
  const identity = operations.flatMap((one) => {
    const name = one.kind === 'replace-identity' ? identitySettings[one.field] : undefined;
    return one.kind === 'replace-identity' && has(name) ? [[name, `0x${one.value.toString(16)}`] as const] : [];
  });
  return Object.fromEntries([...found, ...identity]);
}

/** The knobs of a decision as a verdict names them. */
export function neededKnobs({ knobs }: VmmDecision, placements: readonly Placement[]): readonly NeededKnob[] {
  return Object.entries(knobs).map(([knob, value]): NeededKnob => {
    const field = Object.entries(identitySettings).find(([, setting]) => setting === knob)?.[0];
    if (field !== undefined) return { capability: field, knob, offset: null, value: Number(value) };
    const name: SyntheticName = cliqueSettings.includes(knob) ? 'nvidia-clique' : 'pasid';
    const offset = placements.find((one) => one.name === name)?.offset ?? null;
    return { capability: name, knob, offset, value: Number(value) };
  });
}

function pasidOf({ maxPasidLog2, exec, priv }: IommuFacts): PasidFacts {
  return { widthBits: maxPasidLog2, execute: exec, privileged: priv };
}

/** What a decision was made from, as far as a prediction needs it. */
export type Predicted = Pick<VmmQuestion, 'iommu' | 'role' | 'family'>
  & { readonly space: ConfigSpace; readonly layout: Pick<Layout, 'patches' | 'placements'> };

/** The prediction a decision rests on, made again; null when its profile has another revision by now. */
export function predictedAgain(
  { profile: { name, revision }, vmm, knobs, kernel }: VmmDecision, from: Predicted,
): GuestPrediction | null {
  const profile = profileNamed(name);
  if (!profile.ok || profile.value.revision !== revision) return null;
  return predict(profile.value, { ...vmm, settings: { ...vmm.settings, ...knobs } }, kernel, from);
}

function predict(
  profile: VmmProfile, { port, settings }: VmmRequest, kernel: HostKernel,
  { space, layout, iommu, role, family }: Predicted,
): GuestPrediction {
  const knobs: Knobs = {
    // A guest's IOMMU with PASID is set up for a guest that is to have PASID.
    port, settings, patches: layout.patches, viommuPasid: layout.placements.some(({ name }) => name === 'pasid'),
  };
  return guestView(space, profile, knobs, { kernel, about: vfioFunctionOf(role, family), pasid: pasidOf(iommu) });
}

function predictedOver(physical: ConfigSpace, { space, unpredicted }: GuestPrediction): PredictedGuest | null {
  return space && {
    sizeBytes: space.size, patches: patchesBetween(physical, space), digest: Digest.of(space.toBytes()),
    open: unpredicted.map(({ offset, length }) => ({ offset, length })),
  };
}
