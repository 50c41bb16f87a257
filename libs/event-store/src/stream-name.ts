import { type Branded } from './branded.js';

/** The most characters in a stream name: a host and a BDF, or a VM and a device, of up to 64 each, three times over. */
export const streamNameCharsMax = 200;

const grammar = /^[a-z]+-[A-Za-z0-9][A-Za-z0-9._:/-]*$/;

/**
 * Names one stream: a category, a dash, and what the stream is about, for example `function-hostA/0000:3b:00.1`
 * or `device-vm1/gpu0`. Plain ASCII, 1 to 200 characters, compared byte by byte.
 */
export type StreamName = Branded<string, 'StreamName'>;
export const StreamName = {
  /** Whether `given` is a stream name: for the edge, where a wrong one is the client's mistake. */
  is(given: string): given is StreamName {
    return given.length <= streamNameCharsMax && grammar.test(given);
  },

  /** Throws on anything else than a stream name: its parts were parsed at the edge, so a wrong one here is a bug. */
  from(given: string): StreamName {
    if (StreamName.is(given)) return given;
    throw new RangeError(`Not a stream name (${grammar.source}, up to ${streamNameCharsMax} characters): ${given}`);
  },
};
