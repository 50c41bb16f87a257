import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bdf, ConfigSpace, type Result, type SriovRole, vfioView } from '@cadastre/config-space';
import {
  defaultStrategies, guestDifferences, type PlacementPolicy, type VmmDecision, type VmmRequest,
} from '@cadastre/device-layout';
import {
  type AttachedDevice, type CapabilityRequest, deviceDecider, DeviceId, fold, functionDecider, HostName,
  type LayoutGround, type Moved, Observation, type ObservedKernel, planMove, type RegisteredFunction, VmId,
} from '@cadastre/lifecycle';
import { vmmProfiles } from '@cadastre/vmm-profiles';
import { readCaptures, samplesFolder } from './corpus.js';

interface SamplesFile {
  readonly kernel: ObservedKernel;
  readonly iommu: Observation['iommu'];
  readonly functions: readonly { readonly file: string; readonly address: string; readonly role: SriovRole;
    readonly pf: string | null }[];
}

const { kernel, iommu, functions } =
  JSON.parse(readFileSync(join(samplesFolder, 'samples.json'), 'utf8')) as SamplesFile;

function sure<Value>(given: Result<Value, unknown>): Value {
  if (given.ok) return given.value;
  throw new Error(JSON.stringify(given.refusal));
}

const key = { vm: sure(VmId.from('vm-1')), device: sure(DeviceId.from('gpu0')) };
const host = (name: string): HostName => sure(HostName.from(name));

/** A sample as a host registers it. */
function registered(at: string, { file, address, role, pf }: SamplesFile['functions'][number]): RegisteredFunction {
  const [capture] = readCaptures(join(samplesFolder, file));
  if (!capture) throw new Error(`${file} holds no capture`);
  const facts = Observation.of(capture.space, {
    kernel, iommu, sriov: { role, pf: pf === null ? null : sure(Bdf.from(pf)) } });
  const state = fold(functionDecider, [
    { type: 'FunctionRegistered', schema: 1, host: host(at), address: sure(Bdf.from(address)) },
    { type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...facts },
  ]);
  if (state.kind !== 'registered') throw new Error('a registered function is registered');
  return state;
}

function groundOf(at: string, sample: SamplesFile['functions'][number]): LayoutGround {
  const pf = functions.find(({ address }) => address === sample.pf);
  return {
    function: registered(at, sample), evidence: null,
    physicalFunction: sample.role !== 'vf' ? null
      : { address: sample.pf === null ? null : sure(Bdf.from(sample.pf)), state: pf ? registered(at, pf) : null },
  };
}

const policy: PlacementPolicy = { strategies: defaultStrategies, pinned: {}, allowedRanges: [], forbiddenRanges: [] };
const pasid: CapabilityRequest = { name: 'pasid', widthBits: null, exec: null, priv: null };
const wants = { nothing: [], pasid: [pasid], 'pasid and pri': [pasid, { name: 'pri' }] } as const satisfies
  Record<string, readonly CapabilityRequest[]>;

const attachedBefore = new Map<string, AttachedDevice | undefined>();

/** A device on a sample; undefined where no VMM may have that function. */
function attached({ sample, requested, here }: World, profile: string): AttachedDevice | undefined {
  const name = `${profile} ${sample}`;
  if (!attachedBefore.has(name)) attachedBefore.set(name, attach(here, requested, requestOf(profile)));
  return attachedBefore.get(name);
}

function attach(
  ground: LayoutGround, requested: readonly CapabilityRequest[], vmm: VmmRequest,
): AttachedDevice | undefined {
  const events = deviceDecider.decide({
    kind: 'attach-device', key, ground, hotPlugOrder: null,
    wish: { requested, policy, operations: [], told: [], persona: null, vmm, keepPlaces: true },
  }, deviceDecider.initial);
  if (!events.ok) return undefined;
  const state = fold(deviceDecider, events.value);
  if (state.kind !== 'attached') throw new Error('an attached device is attached');
  return state;
}

const requestOf = (name: string): VmmRequest => ({ name, version: null, port: 'root-port', settings: {} });

function decisionOf({ layout }: AttachedDevice): VmmDecision {
  if (!layout?.vmm) throw new Error('attached without a VMM');
  return layout.vmm;
}

function shownBy(ground: LayoutGround, { predicted }: VmmDecision): ConfigSpace | null {
  const facts = ground.function.observation?.facts;
  if (!predicted || !facts) return null;
  return sure(ConfigSpace.fromCapture(
    Observation.configSpace(facts).patched(predicted.patches).toBytes().subarray(0, predicted.sizeBytes)));
}

function moveTo(ground: LayoutGround, device: AttachedDevice, observed: Observation, vmm: VmmRequest): Moved {
  const { function: target, physicalFunction } = ground;
  return sure(planMove({ device, observed, target, physicalFunction, evidence: null, vmm }));
}

interface World {
  readonly sample: string;
  readonly requested: readonly CapabilityRequest[];
  readonly here: LayoutGround;
  readonly there: LayoutGround;
  readonly facts: Observation;
}

const worlds: readonly World[] = functions.flatMap((sample) => Object.entries(wants).map(([want, requested]) => {
  const [here, there] = [groundOf('host-a', sample), groundOf('host-b', sample)];
  const facts = here.function.observation?.facts;
  if (!facts) throw new Error(`${sample.file} was not observed`);
  return { sample: `${sample.file}, ${want}`, requested, here, there, facts };
}));
const profiles = vmmProfiles.map(({ name }) => name);

/** Where the last one to write a byte was a VMM that forgets what it wrote (C18), a guest finds it as vfio shows it. */
function forgets(ground: LayoutGround, { profile: { name }, kernel: known }: VmmDecision, shown: ConfigSpace): boolean {
  const facts = ground.function.observation?.facts;
  if (name !== 'cloud-hypervisor-old' || !facts) return false;
  const { space } = vfioView(Observation.configSpace(facts), known, { role: facts.sriov.role });
  return space.toBytes().some((byte, at) => at >= 0x40 && byte !== shown.u8(at));
}

/** Which BARs are I/O, as a guest reads them. */
function hasIoBars(space: ConfigSpace): string {
  return [0, 1, 2, 3, 4, 5].map((bar) => space.u8(0x10 + 4 * bar) & 1).join('');
}

describe('a device that moves to identical hardware', () => {
  it.each(profiles)('under %s at both ends', (name) => {
    const vmm = requestOf(name);
    for (const world of worlds) {
      const { sample, requested, here, there, facts } = world;
      const device = attached(world, name);
      if (!device) continue;
      const decision = decisionOf(device);
      const shown = shownBy(here, decision);
      const { move } = moveTo(there, device, facts, vmm);
      const rules = move.verdict?.reasons.map(({ kind, rule }) => `${kind} ${rule ?? ''}`) ?? [];
      if (!shown) expect([sample, rules]).toEqual([sample, [expect.stringMatching(/^does-not-start /)]]);
      else if (name === 'openvmm') expect([sample, rules]).toEqual([sample, ['vmm-cannot-migrate O4']]);
      else if (forgets(here, decision, shown)) {
        expect([sample, move.verdict?.verdict]).toEqual([sample, 'cannot']);
        for (const rule of rules) expect([sample, rule]).toEqual([sample, expect.stringMatching(/ C18$/)]);
      } else {
        const isSet = Object.keys(decision.knobs).length > 0 || (name === 'generic' && requested.length > 0);
        expect([sample, move.verdict?.verdict, rules]).toEqual([sample, isSet ? 'obeys' : 'exact', []]);
      }
    }
  });

  it.each(profiles.flatMap((from) => profiles.map((to) => [from, to] as const)).filter(([from, to]) => from !== to))(
    'from %s to %s: only where its bytes are the same', (from, to) => {
      // PRI takes the knob of PASID away, and changes nothing else of a pair.
      for (const world of worlds.filter(({ requested }) => requested.length < 2)) {
        const { sample, here, there, facts } = world;
        const [device, other] = [attached(world, from), attached(world, to)];
        if (!device || !other) continue;
        const [decision, fresh] = [decisionOf(device), decisionOf(other)];
        const [has, finds] = [shownBy(here, decision), shownBy(there, fresh)];
        if (!has || !finds || to === 'generic' || to === 'cloud-hypervisor-old') continue;
        const { verdict } = moveTo(there, device, facts, requestOf(to)).move;
        const isLoaded = from !== 'openvmm' && to !== 'openvmm';
        const open = fresh.predicted?.open ?? [];
        const isSame = guestDifferences(has, finds, open).differences.length === 0
          && hasIoBars(has) === hasIoBars(finds);
        // Q22: of what may differ, QEMU compares what no guest writes.
        const isCompared = to.startsWith('qemu-') && !has.equals(finds);
        if (verdict?.verdict !== 'cannot') expect([sample, isLoaded, isSame]).toEqual([sample, true, true]);
        else expect([sample, verdict.reasons, isLoaded && isSame && !isCompared])
          .toEqual([sample, verdict.reasons, false]);
      }
    });
});
