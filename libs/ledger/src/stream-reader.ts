import { type EventStore, type ExpectedRevision, StreamName, StreamRevision } from '@cadastre/event-store';
import {
  type DecodedEvent, decodeEvent, type DeviceEvent, type DeviceKey, deviceDecider, type DeviceState, deviceStream,
  fold, type FunctionEvent, functionDecider, type FunctionKey, type FunctionState, functionStream, isDeviceEvent,
  isFunctionEvent, isPersonaEvent, type LedgerEvent, type Observation, type ObservationReference,
  personaDecider, type PersonaEvent, type PersonaName, type PersonaState, personaStream,
} from '@cadastre/lifecycle';

/** A stream's state and the revision it was folded to. */
export interface Read<State> {
  readonly state: State;
  readonly revision: ExpectedRevision;
}

/** Reads streams and folds them. Nothing is cached: the state is what the log says at this moment. */
export class StreamReader {
  constructor(private readonly store: EventStore) {}

  async function(key: FunctionKey, upTo?: number): Promise<Read<FunctionState>> {
    const { events, revision } = await this.events(functionStream(key), upTo);
    return { state: fold(functionDecider, events.map(asFunctionEvent)), revision };
  }

  async device(key: DeviceKey, upTo?: number): Promise<Read<DeviceState>> {
    const { events, revision } = await this.events(deviceStream(key), upTo);
    return { state: fold(deviceDecider, events.map(asDeviceEvent)), revision };
  }

  async persona(name: PersonaName, upTo?: number): Promise<Read<PersonaState>> {
    const { events, revision } = await this.events(personaStream(name), upTo);
    return { state: fold(personaDecider, events.map(asPersonaEvent)), revision };
  }

  /** The observation a layout was decided over, from the one event that holds its bytes. */
  async observation({ stream, revision }: ObservationReference): Promise<Observation> {
    const from = StreamRevision.from(revision);
    const page = await this.store.readStream(StreamName.from(stream), { from, limit: 1 });
    const recorded = page.events[0];
    const event = recorded && decodeEvent(recorded.data).event;
    if (event?.type !== 'FunctionObserved') throw new Error(`${stream}@${revision} holds no observation`);
    return event;
  }

  /** Every event of a stream, oldest first, up to and including revision `upTo`. */
  private async events(name: string, upTo?: number): Promise<{ events: LedgerEvent[]; revision: ExpectedRevision }> {
    const stream = StreamName.from(name);
    const decoded: DecodedEvent[] = [];
    for (;;) {
      const page = await this.store.readStream(stream, { from: StreamRevision.from(decoded.length) });
      for (const recorded of page.events) {
        if (upTo !== undefined && recorded.revision > upTo) break;
        decoded.push(decodeEvent(recorded.data));
      }
      if (page.endOfStream || (upTo !== undefined && decoded.length > upTo)) {
        const revision = upTo === undefined ? page.revision : StreamRevision.from(upTo);
        return { events: decoded.map(({ event }) => event), revision };
      }
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
