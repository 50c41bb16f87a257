import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type AttachedDevice, deviceDecider, type DeviceKey, deviceStream, familyCommands, fold, type FunctionKey,
  isPasidEvent, type LedgerEvent, notAttached, type PasidCommand, type PasidEvent,
} from '@cadastre/lifecycle';
import { DamagedHistory } from '../damaged-history.js';
import { functionChanges } from '../functions/function-changes.js';
import { type CommandOutcome, type Precondition, type Refusal } from '../outcome.js';
import { missing, unmet } from '../precondition.js';
import { type Decided, type Guard, Recorder, type RequestIdentity } from '../recorder.js';
import { StreamReader } from '../stream-reader.js';
import { type PasidGround, pasidGround } from './pasid-ground.js';

/** What a client says; the rest of a command is read from the streams. */
type Said<Of extends PasidCommand> = Of extends PasidCommand
  ? Omit<Of, 'key' | 'visible' | 'seen' | 'physicalFunction'> : never;
export type PasidChange = Said<PasidCommand>;

/** Changes PASID, ATS or PRI of an attached device; each change is one event, and the answer. */
export class ChangePasids extends Command<CommandOutcome<PasidEvent>> {
  constructor(
    readonly identity: RequestIdentity, readonly key: DeviceKey, readonly change: PasidChange,
    readonly precondition: Precondition,
  ) {
    super();
  }
}

type Completed = { readonly kind: 'command'; readonly command: PasidCommand; readonly standsOn: readonly Guard[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

@CommandHandler(ChangePasids)
export class ChangePasidsHandler implements ICommandHandler<ChangePasids> {
  constructor(private readonly recorder: Recorder, private readonly reader: StreamReader) {}

  execute(command: ChangePasids): Promise<CommandOutcome<PasidEvent>> {
    const stream = deviceStream(command.key);
    return this.recorder.record(command.identity, {
      stream,
      decide: () => this.decide(command),
      // A retry is answered from its own event: no history has to be folded for it, however long it is.
      stateAt: async (revision) => onlyEvent(stream, [await this.reader.event({ stream, revision })]),
    });
  }

  private async decide({ key, change, precondition }: ChangePasids): Promise<Decided<PasidEvent>> {
    const { state, revision } = await this.reader.device(key);
    const stream = deviceStream(key);
    if (state.kind === 'unknown') return { kind: 'refused', refusal: { kind: 'device-unknown', ...key } };
    const stale = unmet(precondition, stream, revision) ?? missing(precondition, stream, revision);
    if (stale) return { kind: 'refused', refusal: stale };
    if (state.kind !== 'attached') return { kind: 'refused', refusal: notAttached(key, state) };
    const completed = await this.complete(key, change, state);
    if (completed.kind === 'refused') return completed;
    const decided = deviceDecider.decide(completed.command, state);
    if (!decided.ok) return { kind: 'refused', refusal: decided.refusal };
    const after = fold(deviceDecider, decided.value, state);
    const family = await functionChanges(this.reader, familyCommands(key, state, after));
    if (!family.ok) return { kind: 'refused', refusal: family.refusal };
    return {
      kind: 'decided',
      changes: [{ stream, expectedRevision: revision, events: decided.value }, ...family.value],
      standsOn: completed.standsOn,
      after: (recorded) => onlyEvent(stream, recorded),
    };
  }

  /** Adds what the streams of the device and of its function tell. */
  private async complete(key: DeviceKey, change: PasidChange, device: AttachedDevice): Promise<Completed> {
    if (change.kind !== 'enable-pasid' && change.kind !== 'enable-pri') {
      return { kind: 'command', command: { ...change, key }, standsOn: [] };
    }
    const ground = await pasidGround(device, this.reader);
    const { seen, visible, standsOn } = ground;
    const physicalFunction = countedAt(device.function, ground);
    if (physicalFunction === 'unknown') {
      const { pf } = seen.own.sriov;
      return { kind: 'refused', refusal: { kind: 'physical-function-unknown', ...device.function, pf } };
    }
    const command: PasidCommand = change.kind === 'enable-pri' ? { ...change, key, physicalFunction }
      : { ...change, key, seen, visible, physicalFunction };
    return { kind: 'command', command, standsOn };
  }
}

/** The function whose stream counts the users of the family; a VF whose PF nobody registered cannot be counted. */
function countedAt(
  key: FunctionKey, { seen: { own }, physicalFunction }: PasidGround,
): FunctionKey | 'unknown' | null {
  if (own.sriov.role === 'none') return null;
  if (own.sriov.role === 'pf') return key;
  const state = physicalFunction?.state;
  return state && !state.retired ? state.key : 'unknown';
}

function onlyEvent(stream: string, events: readonly LedgerEvent[]): PasidEvent {
  const [event] = events;
  if (event && isPasidEvent(event)) return event;
  throw new DamagedHistory(stream, `a change of PASIDs is recorded as ${event?.type ?? 'nothing'}`);
}
