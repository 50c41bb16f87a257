import { type ByteRange, extendedSizeBytes, type Owner, type Survey } from '@cadastre/config-space';
import { Digest } from './digest.js';

/** Another capture of the same model: another unit, another firmware, another day. */
export interface FurtherCapture {
  /** Where it came from, in the words of whoever brings it. */
  readonly source: string;
  readonly survey: Survey;
}

/** One capture as a decision names it. */
export interface CaptureNamed {
  readonly source: string;
  readonly configSpaceDigest: Digest;
}

/** A byte that one of the captures shows in use. */
export interface SeenInUse {
  readonly at: number;
  readonly owner: Owner;
  readonly source: string;
}

/** Captures one decision may rest on: a model has so many units and firmware versions, a fleet has one evidence. */
export const furtherCapturesMax = 4096;

/**
 * What many captures of one model say about its bytes: one that was ever part of anything, or ever not zero, is not
 * free. Made once for a model and used for every plan over it.
 */
export class Evidence {
  private constructor(
    /** For each byte, 1 + the index of the first capture that shows it in use; 0 while none does. */
    private readonly firstSeen: Uint16Array, private readonly captures: readonly FurtherCapture[],
    readonly named: readonly CaptureNamed[],
  ) {}

  static of(captures: readonly FurtherCapture[]): Evidence {
    if (captures.length > furtherCapturesMax) throw new RangeError(`${captures.length} captures are too many`);
    const firstSeen = new Uint16Array(extendedSizeBytes);
    captures.forEach(({ survey }, index) => {
      for (const { offset, length, owner } of survey.owners.runs()) {
        // What was not captured says nothing about other captures.
        if (owner === 'zero' || owner === 'not-captured') continue;
        for (let at = offset; at < offset + length; at += 1) {
          if (firstSeen[at] === 0) firstSeen[at] = index + 1;
        }
      }
    });
    const named = captures.map(({ source, survey }) =>
      ({ source, configSpaceDigest: Digest.of(survey.space.toBytes()) }));
    return new Evidence(firstSeen, captures, named);
  }

  /** The first byte of a range that some capture shows in use. */
  inUse(range: ByteRange): SeenInUse | undefined {
    for (let at = range.offset; at < range.offset + range.length; at += 1) {
      const capture = this.captures[(this.firstSeen[at] ?? 0) - 1];
      if (capture) return { at, owner: capture.survey.owners.ownerAt(at).owner, source: capture.source };
    }
    return undefined;
  }
}
