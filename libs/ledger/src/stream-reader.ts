import {
  type EventStore, type ExpectedRevision, type Position, type RecordedEvent, StreamName, StreamRevision,
} from '@cadastre/event-store';
import {
  type Decider, decodeEvent, type DeviceEvent, type DeviceKey, deviceDecider, type DeviceState, deviceStream,
  type FunctionEvent, functionDecider, type FunctionKey, type FunctionState, functionStream, isDeviceEvent,
  isFunctionEvent, isMigrationEvent, isPersonaEvent, isVmEvent, type LedgerEvent, migrationDecider, type MigrationEvent,
  type MigrationKey, type MigrationState, migrationStream, type Observation, type ObservationReference,
  personaDecider, type PersonaEvent, type PersonaName, type PersonaState, personaStream, vmDecider, type VmEvent,
  type VmId, type VmState, vmStream,
} from '@cadastre/lifecycle';
import { DamagedHistory } from './damaged-history.js';

/** A stream's state and the revision it was folded to. */
export interface Read<State> {
  readonly state: State;
  readonly revision: ExpectedRevision;
}

/** Where a read of the past ends: behind a revision of the stream, or behind a position of the log. */
export type UpTo = number | { readonly position: Position };

/** The end of a read as of a position; of the present, when there is none. */
export function asOf(position: Position | null): UpTo | undefined {
  return position === null ? undefined : { position };
}

function isBehind({ revision, position }: RecordedEvent, upTo: UpTo | undefined): boolean {
  return upTo !== undefined && (typeof upTo === 'number' ? revision > upTo : position > upTo.position);
}

/** States kept in memory: a function's holds its config space, 5.4 KiB in base64, so this is 22 MiB at most. */
const statesMax = 4_096;

/**
 * Reads streams and folds them. The state a stream was last folded to is kept and only what came after it is read:
 * events never change, so a kept state is never wrong, only short.
 */
export class StreamReader {
  private readonly kept = new Map<string, { readonly state: unknown; readonly revision: number }>();

  constructor(private readonly store: EventStore) {}

  function(key: FunctionKey, upTo?: UpTo): Promise<Read<FunctionState>> {
    return this.read(functionStream(key), functionDecider, asFunctionEvent, upTo);
  }

  vm(vm: VmId): Promise<Read<VmState>> {
    return this.read(vmStream(vm), vmDecider, asVmEvent);
  }

  device(key: DeviceKey, upTo?: UpTo): Promise<Read<DeviceState>> {
    return this.read(deviceStream(key), deviceDecider, asDeviceEvent, upTo);
  }

  persona(name: PersonaName, upTo?: UpTo): Promise<Read<PersonaState>> {
    return this.read(personaStream(name), personaDecider, asPersonaEvent, upTo);
  }

  migration(key: MigrationKey, upTo?: UpTo): Promise<Read<MigrationState>> {
    return this.read(migrationStream(key), migrationDecider, asMigrationEvent, upTo);
  }

  /** The position of a stream's first event; undefined when it was never begun. */
  async begunAt(stream: string): Promise<Position | undefined> {
    return (await this.store.readStream(StreamName.from(stream), { limit: 1 })).events[0]?.position;
  }

  /** The observation a layout was decided over, from the one event that holds its bytes. */
  async observation({ stream, revision }: ObservationReference): Promise<Observation> {
    const event = await this.event({ stream, revision });
    if (event.type === 'FunctionObserved') return event;
    throw new DamagedHistory(stream, `revision ${revision} holds no observation`);
  }

  /** One event that is known to be there. */
  async event({ stream, revision }: { readonly stream: string; readonly revision: number }): Promise<LedgerEvent> {
    const from = StreamRevision.from(revision);
    const page = await this.store.readStream(StreamName.from(stream), { from, limit: 1 });
    const recorded = page.events[0];
    if (recorded) return decodeEvent(recorded.data).event;
    throw new DamagedHistory(stream, `it has no revision ${revision}`);
  }

  /** Folds a stream up to its end, or up to and including `upTo`, from what is kept unless that may be newer. */
  private async read<Command, State, Event extends LedgerEvent, Refusal>(
    name: string, decider: Decider<Command, State, Event, Refusal>, own: (event: LedgerEvent) => Event, upTo?: UpTo,
  ): Promise<Read<State>> {
    const stream = StreamName.from(name);
    // What is kept under a name was folded by the decider of that name's kind.
    const known = this.kept.get(name) as { state: State; revision: number } | undefined;
    const isOlder = known && (upTo === undefined || (typeof upTo === 'number' && known.revision <= upTo));
    const kept = isOlder ? known : undefined;
    let state = kept?.state ?? decider.initial;
    let next = (kept?.revision ?? -1) + 1;
    for (;;) {
      const page = await this.store.readStream(stream, { from: StreamRevision.from(next) });
      const wanted = page.events.filter((recorded) => !isBehind(recorded, upTo));
      for (const recorded of wanted) state = decider.evolve(state, own(decodeEvent(recorded.data).event));
      next += wanted.length;
      if (!page.endOfStream && wanted.length === page.events.length) continue;
      if (upTo === undefined && next > 0) this.keep(name, state, next - 1);
      return { state, revision: next === 0 ? 'no-stream' : StreamRevision.from(next - 1) };
    }
  }

  /** The one used longest ago gives way; a Map keeps the order of its insertions. */
  private keep(name: string, state: unknown, revision: number): void {
    this.kept.delete(name);
    this.kept.set(name, { state, revision });
    if (this.kept.size <= statesMax) return;
    for (const oldest of this.kept.keys()) {
      this.kept.delete(oldest);
      return;
    }
  }
}

function asFunctionEvent(event: LedgerEvent): FunctionEvent {
  if (isFunctionEvent(event)) return event;
  throw new Error(`a function stream holds ${event.type}`);
}

function asDeviceEvent(event: LedgerEvent): DeviceEvent {
  if (isDeviceEvent(event)) return event;
  throw new Error(`a device stream holds ${event.type}`);
}

function asPersonaEvent(event: LedgerEvent): PersonaEvent {
  if (isPersonaEvent(event)) return event;
  throw new Error(`a persona stream holds ${event.type}`);
}

function asMigrationEvent(event: LedgerEvent): MigrationEvent {
  if (isMigrationEvent(event)) return event;
  throw new Error(`a migration stream holds ${event.type}`);
}

function asVmEvent(event: LedgerEvent): VmEvent {
  if (isVmEvent(event)) return event;
  throw new Error(`the stream of a VM holds ${event.type}`);
}
