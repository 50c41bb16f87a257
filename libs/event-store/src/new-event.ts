import { type EventId } from './event-id.js';

/** An event as a writer hands it over. */
export interface NewEvent {
  readonly id: EventId;
  /** Past tense, as `DeviceAttached`: a letter, then letters, digits, `.`, `_` or `-`; up to 100 characters. */
  readonly type: string;
  /** The frozen canonical bytes, up to `eventBytesMax`. A store never looks inside and never changes them. */
  readonly data: Uint8Array;
}
