import { Logger } from '@nestjs/common';
import { type EventNamed } from '@cadastre/device-layout';
import {
  type EventStore, type ExpectedRevision, pageSizeMax, type Position, type RecordedEvent, StreamName, StreamRevision,
} from '@cadastre/event-store';
import {
  decodeEvent, decodeForFold, type DeviceKey, type DeviceState, deviceStream, type FunctionKey, type FunctionState,
  functionStream, type ImportKey, importStream, type ImportState, type LedgerEvent, type MigrationKey,
  type MigrationState, migrationStream, type Observation, type ObservationReference, observedAgain, type PersonaName,
  type PersonaState, personaStream, stateForm, type VmId, type VmState, vmStream,
} from '@cadastre/lifecycle';
import { isViewFailure, type SavedStates, type SavedUpTo } from '@cadastre/views';
import { DamagedHistory } from './damaged-history.js';
import { type KeptState, KeptStates } from './kept-states.js';
import {
  deviceKind, type FoldedText, functionKind, importKind, migrationKind, personaKind, type StreamKind, vmKind,
} from './stream-kind.js';

/** A stream's state and the revision it was folded to. */
export interface Read<State> {
  readonly state: State;
  readonly revision: ExpectedRevision;
}

/** Where a read of the past ends: behind a revision of the stream, or behind a position of the log. */
export type UpTo = number | { readonly position: Position };

interface EventPlace {
  readonly stream: string;
  readonly revision: number;
}

/** An observation, and the event that holds its bytes. */
export interface ReadObservation {
  readonly observation: Observation;
  readonly captured: EventPlace;
}

/** The end of a read as of a position; of the present, when there is none. */
export function asOf(position: Position | null): UpTo | undefined {
  return position === null ? undefined : { position };
}

function isBehind({ revision, position }: RecordedEvent, upTo: UpTo | undefined): boolean {
  return upTo !== undefined && (typeof upTo === 'number' ? revision > upTo : position > upTo.position);
}

/** What states kept in memory may weigh: some five thousand functions, or a device with 250,000 PASIDs. */
const keptBytesMax = 64 * 1_024 * 1_024;

/** Events read at once where it is not known how many are wanted. */
const pastPage = 256;

/** A state, how far it was folded, and how much that took. */
interface Folded<State> extends KeptState {
  readonly state: State;
  /** Of the event at its revision; -1 before the first. */
  readonly position: number;
  /** The revision of the last state that was kept in the file. */
  readonly savedAt: number;
  readonly folded: FoldedText;
  /** The event a state from the file stands behind, until the log was seen to have it. */
  readonly unproven: { readonly id: string; readonly sha256: string } | null;
}

/**
 * Reads streams and folds them. The state a stream was last folded to is kept and only what came after it is read:
 * events never change, so a kept state is never wrong, only short. Of long streams a state is kept in the file of the
 * views every so many events: after a restart, and for the past, the fold begins there.
 */
export class StreamReader {
  private readonly kept = new KeptStates<Folded<unknown>>(keptBytesMax);

  /**
   * @param states none where every state is to be folded from the log alone
   * @param say told in one sentence when their file fails
   */
  constructor(
    private readonly store: EventStore, private states: SavedStates | null = null,
    private readonly say = (line: string): void => new Logger(StreamReader.name).warn(line),
  ) {}

  function(key: FunctionKey, upTo?: UpTo): Promise<Read<FunctionState>> {
    return this.read(functionStream(key), functionKind, upTo);
  }

  import(key: ImportKey, upTo?: UpTo): Promise<Read<ImportState>> {
    return this.read(importStream(key), importKind, upTo);
  }

  vm(vm: VmId): Promise<Read<VmState>> {
    return this.read(vmStream(vm), vmKind);
  }

  device(key: DeviceKey, upTo?: UpTo): Promise<Read<DeviceState>> {
    return this.read(deviceStream(key), deviceKind, upTo);
  }

  persona(name: PersonaName, upTo?: UpTo): Promise<Read<PersonaState>> {
    return this.read(personaStream(name), personaKind, upTo);
  }

  migration(key: MigrationKey, upTo?: UpTo): Promise<Read<MigrationState>> {
    return this.read(migrationStream(key), migrationKind, upTo);
  }

  /** The position of a stream's first event; undefined when it was never begun. */
  async begunAt(stream: string): Promise<Position | undefined> {
    return (await this.store.readStream(StreamName.from(stream), { limit: 1 })).events[0]?.position;
  }

  /** The observation a layout was decided over, as it was told then. */
  async observation(reference: ObservationReference): Promise<Observation> {
    return (await this.observed(reference)).observation;
  }

  /** The same, and where its bytes are: those that host facts were told over are in an earlier event. */
  async observed({ stream, revision }: ObservationReference): Promise<ReadObservation> {
    const event = await this.event({ stream, revision });
    if (event.type === 'FunctionObserved') return { observation: event, captured: { stream, revision } };
    if (event.type !== 'HostFactsObserved') {
      throw new DamagedHistory(stream, `revision ${revision} holds no observation`);
    }
    const captured = { stream, revision: event.configSpaceRevision };
    const observation = observedAgain(event, await this.event(captured));
    if (observation) return { observation, captured };
    throw new DamagedHistory(stream, `revision ${captured.revision} does not hold the bytes of revision ${revision}`);
  }

  /** One event that is known to be there. */
  async event(place: EventPlace): Promise<LedgerEvent> {
    return decodeEvent((await this.recorded(place)).data).event;
  }

  /** The same by its name, and when it was recorded. */
  async named(place: EventPlace): Promise<EventNamed> {
    const { stream, revision, position, type, data } = await this.recorded(place);
    return { type, stream, revision, position, recordedAt: decodeEvent(data).envelope.recordedAt };
  }

  private async recorded({ stream, revision }: EventPlace): Promise<RecordedEvent> {
    const from = StreamRevision.from(revision);
    const [recorded] = (await this.store.readStream(StreamName.from(stream), { from, limit: 1 })).events;
    if (recorded) return recorded;
    throw new DamagedHistory(stream, `it has no revision ${revision}`);
  }

  /** Folds a stream up to its end, or up to and including `upTo`. */
  private async read<State>(name: string, kind: StreamKind<State>, upTo?: UpTo): Promise<Read<State>> {
    const stream = StreamName.from(name);
    let at = this.nearest(name, kind, upTo);
    while (upTo === undefined || typeof upTo !== 'number' || at.revision < upTo || at.unproven) {
      const from = at.unproven ? at.revision : at.revision + 1;
      const page = await this.store.readStream(stream, { from: StreamRevision.from(from), limit: limitOf(from, upTo) });
      const wanted = page.events.filter((recorded) => !isBehind(recorded, upTo));
      if (at.unproven) {
        const first = wanted.shift();
        at = first?.id === at.unproven.id && first.sha256 === at.unproven.sha256 ? { ...at, unproven: null }
          : this.anew(name, kind);
        if (at.revision === -1) continue;
      }
      for (const recorded of wanted) at = this.folded(at, recorded, kind);
      if (page.endOfStream || page.events.some((recorded) => isBehind(recorded, upTo))) break;
    }
    if (upTo === undefined && at.revision >= 0) this.kept.put(name, at);
    return { state: at.state, revision: at.revision === -1 ? 'no-stream' : StreamRevision.from(at.revision) };
  }

  /** The newest state at or before `upTo` that is kept in memory or in the file. */
  private nearest<State>(name: string, kind: StreamKind<State>, upTo: UpTo | undefined): Folded<State> {
    // What is kept under a name was folded by that name's kind.
    const known = this.kept.get(name) as Folded<State> | undefined;
    if (known && !isPast(known, upTo)) return known;
    return this.saved(name, kind, upTo) ?? beginningOf(kind);
  }

  private saved<State>(name: string, kind: StreamKind<State>, upTo: UpTo | undefined): Folded<State> | undefined {
    return this.fromFile((states) => {
      const found = states.newest(name, stateForm, savedUpTo(upTo));
      const state = found && kind.read(found.text, states.part);
      if (!found || state === undefined) return undefined;
      const { revision, position, eventId: id, eventSha256: sha256, text: { length } } = found;
      const folded = { largest: length, all: length };
      const bytes = kind.weigh(state, folded);
      return { state, revision, position, bytes, folded, savedAt: revision, unproven: { id, sha256 } };
    });
  }

  private folded<State>(before: Folded<State>, recorded: RecordedEvent, kind: StreamKind<State>): Folded<State> {
    const { revision, position, data: { length } } = recorded;
    const state = kind.evolve(before.state, decodeForFold(recorded.type, recorded.data));
    const { largest, all } = before.folded;
    const folded = { largest: Math.max(largest, length), all: all + length };
    const isDue = revision - before.savedAt >= kind.savedEvery(state);
    if (isDue) {
      this.fromFile((states) => {
        const { text, parts } = kind.write(state);
        states.save(recorded, stateForm, text, parts);
      });
    }
    const savedAt = isDue ? revision : before.savedAt;
    return { state, revision, position, bytes: kind.weigh(state, folded), folded, savedAt, unproven: null };
  }

  /** The file is of another log, or of a later state of this one: nothing it says of the stream counts. */
  private anew<State>(name: string, kind: StreamKind<State>): Folded<State> {
    this.fromFile((states) => states.forget(name));
    return beginningOf(kind);
  }

  /** Without the file streams are folded from their beginning: slower, and as right. */
  private fromFile<T>(work: (states: SavedStates) => T): T | undefined {
    if (!this.states) return undefined;
    try {
      return work(this.states);
    } catch (error) {
      if (!isViewFailure(error)) throw error;
      this.say(`no states are kept from now on, since their file fails: ${error.message}`);
      this.states = null;
      return undefined;
    }
  }
}

function beginningOf<State>({ initial }: StreamKind<State>): Folded<State> {
  return {
    state: initial, revision: -1, position: -1, bytes: 0, folded: { largest: 0, all: 0 }, savedAt: -1, unproven: null,
  };
}

/** Whether a state was folded further than is wanted. */
function isPast({ revision, position }: Folded<unknown>, upTo: UpTo | undefined): boolean {
  return upTo !== undefined && (typeof upTo === 'number' ? revision > upTo : position > upTo.position);
}

function savedUpTo(upTo: UpTo | undefined): SavedUpTo {
  if (upTo === undefined) return null;
  return typeof upTo === 'number' ? { revision: upTo } : upTo;
}

function limitOf(from: number, upTo: UpTo | undefined): number {
  if (upTo === undefined) return pageSizeMax;
  return typeof upTo === 'number' ? Math.min(pageSizeMax, upTo - from + 1) : pastPage;
}
