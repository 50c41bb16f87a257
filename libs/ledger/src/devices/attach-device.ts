import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Persona, type PlacementPolicy } from '@cadastre/device-layout';
import {
  type CapabilityRequest, type DeviceCommand, deviceDecider, type DeviceKey, type DeviceState, deviceStream, fold,
  functionDecider, type FunctionKey, functionStream, isDeviceEvent, type PersonaName, personaOf,
  type RegisteredFunction,
} from '@cadastre/lifecycle';
import { type CommandOutcome, type Precondition } from '../outcome.js';
import { missing, unmet } from '../precondition.js';
import { type Decided, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';

/** Gives a host's function to a VM's device and decides what the guest sees of it. */
export class AttachDevice extends Command<CommandOutcome<DeviceState>> {
  constructor(
    readonly identity: RequestIdentity, readonly key: DeviceKey, readonly functionKey: FunctionKey,
    readonly requested: readonly CapabilityRequest[], readonly policy: PlacementPolicy,
    readonly precondition: Precondition,
    /** The persona to wear; `version` null is the newest. */
    readonly persona: { readonly name: PersonaName; readonly version: number | null } | null = null,
  ) {
    super();
  }
}

@CommandHandler(AttachDevice)
export class AttachDeviceHandler implements ICommandHandler<AttachDevice> {
  constructor(private readonly recorder: Recorder, private readonly reader: StreamReader) {}

  execute(command: AttachDevice): Promise<CommandOutcome<DeviceState>> {
    return this.recorder.record(command.identity, {
      stream: functionStream(command.functionKey),
      decide: () => this.decide(command),
      stateAt: async (revision) => (await this.reader.device(command.key, revision)).state,
    });
  }

  /** Reads both streams, decides on both, and hands both changes over as one: nobody else can own the function. */
  private async decide(command: AttachDevice): Promise<Decided<DeviceState>> {
    const { key, functionKey, requested, policy, precondition } = command;
    const [device, owned] = await Promise.all([this.reader.device(key), this.reader.function(functionKey)]);
    const stream = deviceStream(key);
    const stale = unmet(precondition, stream, device.revision) ?? missing(precondition, stream, device.revision);
    if (stale) return { kind: 'refused', refusal: stale };
    if (owned.state.kind === 'unregistered') {
      return { kind: 'refused', refusal: { kind: 'function-not-registered', ...functionKey } };
    }
    const claimed = functionDecider.decide({ kind: 'claim-function', key: functionKey, by: key }, owned.state);
    if (!claimed.ok && device.state.kind !== 'attached') return { kind: 'refused', refusal: claimed.refusal };
    const physicalFunction = await this.physicalFunctionOf(owned.state);
    const persona = command.persona ? await this.personaFor(command.persona) : undefined;
    if (persona === 'unknown') return { kind: 'refused', refusal: { kind: 'persona-unknown', ...unknownOf(command) } };
    const attached = deviceDecider.decide({
      kind: 'attach-device', key, function: owned.state, physicalFunction, requested, policy,
      ...(persona ? { persona } : {}),
    }, device.state);
    if (!attached.ok) return { kind: 'refused', refusal: attached.refusal };
    if (!claimed.ok) return { kind: 'refused', refusal: claimed.refusal };
    return {
      kind: 'decided',
      changes: [
        { stream, expectedRevision: device.revision, events: attached.value },
        { stream: functionStream(functionKey), expectedRevision: owned.revision, events: claimed.value },
      ],
      after: (recorded) => fold(deviceDecider, recorded.filter(isDeviceEvent), device.state),
    };
  }

  private async personaFor(
    { name, version }: NonNullable<AttachDevice['persona']>,
  ): Promise<Persona | 'unknown'> {
    const { state } = await this.reader.persona(name);
    if (state.kind === 'unpublished') return 'unknown';
    const found = version === null ? state.versions.at(-1) : state.versions.find((one) => one.version === version);
    return found ? personaOf(name, found) : 'unknown';
  }

  private async physicalFunctionOf(owned: RegisteredFunction): Promise<PhysicalFunctionRead> {
    const sriov = owned.observation?.facts.sriov;
    if (sriov?.role !== 'vf') return null;
    if (sriov.pf === null) return { address: null, state: null };
    const { state } = await this.reader.function({ host: owned.key.host, address: sriov.pf });
    return { address: sriov.pf, state: state.kind === 'registered' ? state : null };
  }
}

type PhysicalFunctionRead = Extract<DeviceCommand, { kind: 'attach-device' }>['physicalFunction'];

function unknownOf({ persona }: AttachDevice): { readonly name: string; readonly version: number | null } {
  return { name: persona?.name ?? '', version: persona?.version ?? null };
}
