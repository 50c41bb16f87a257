import { type EventId } from './event-id.js';

/** An event as a writer hands it over. */
export interface NewEvent {
  readonly id: EventId;
  /** Past tense, as `DeviceAttached`: a letter, then letters, digits, `.`, `_` or `-`; up to 100 characters. */
  readonly type: string;
  /** Canonical text on one line, up to `eventBytesMax` bytes of UTF-8. A store never looks inside or changes it. */
  readonly data: string;
}
