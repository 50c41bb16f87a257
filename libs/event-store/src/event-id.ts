import { type Branded } from './branded.js';
import { sha256Hex } from './sha256-hex.js';

const grammar = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const loneSurrogate = /\p{Surrogate}/u;

/** Names one event for ever: a UUID in lower case. Storing the same id twice stores one event. */
export type EventId = Branded<string, 'EventId'>;
export const EventId = {
  /** Whether `given` is an event id: for the edge, where a wrong one is the client's mistake. */
  is(given: string): given is EventId {
    return grammar.test(given);
  },

  /** Throws on anything else than a UUID in lower case. */
  from(given: string): EventId {
    if (EventId.is(given)) return given;
    throw new RangeError(`Not an event id (a UUID in lower case): ${given}`);
  },

  /**
   * The id of the event at `index` (from 0) of the command with this idempotency key, so that a repeated command
   * carries the ids of the first. A version 8 UUID (RFC 9562, "UUID Version 8") from SHA-256 of
   * `cadastre-event NUL key NUL index`. Throws on an empty key, one that is no well-formed Unicode, and a bad index.
   */
  derive(key: string, index: number): EventId {
    // A lone surrogate would be hashed as U+FFFD, and then two keys would share their ids.
    if (key === '' || loneSurrogate.test(key)) throw new RangeError(`Not an idempotency key: ${JSON.stringify(key)}`);
    if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`Not the index of an event: ${index}`);
    const hex = sha256Hex(`cadastre-event\0${key}\0${index}`);
    const variant = ((parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
    return EventId.from(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-`
      + hex.slice(20, 32));
  },
};
