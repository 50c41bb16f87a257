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

/** Captures one decision may name: those that told something new, and each has at most 4096 bytes to tell. */
export const furtherCapturesMax = 4096;

/**
 * What many captures of one model say about its bytes: one that was ever part of anything, or ever not zero, is not
 * free. Made once for a model and used for every plan over it; a further capture gives another evidence.
 */
export class Evidence {
  static readonly none = new Evidence(new Uint16Array(extendedSizeBytes), [], [], 0);

  private constructor(
    /** For each byte, 1 + the index of the first capture that shows it in use; 0 while none does. */
    private readonly firstSeen: Uint16Array, private readonly captures: readonly FurtherCapture[],
    /** The captures that told of a byte what none before them had told: in a fleet of one model, few. */
    readonly named: readonly CaptureNamed[],
    /** How many captures were looked at, those that told nothing new among them. */
    readonly looked: number,
  ) {}

  static of(captures: readonly FurtherCapture[]): Evidence {
    return captures.reduce<Evidence>((evidence, one) => evidence.with(one), Evidence.none);
  }

  /** The evidence with one more capture. */
  with(capture: FurtherCapture): Evidence {
    const firstSeen = this.marked(capture.survey);
    if (!firstSeen) return this.andSoMany(1);
    if (this.captures.length >= furtherCapturesMax) throw new RangeError(`more than ${furtherCapturesMax} captures`);
    const { source, survey } = capture;
    const named = { source, configSpaceDigest: Digest.of(survey.space.toBytes()) };
    return new Evidence(firstSeen, [...this.captures, capture], [...this.named, named], this.looked + 1);
  }

  /** The evidence with more captures of bytes that were looked at before: they tell nothing new. */
  andSoMany(more: number): Evidence {
    return new Evidence(this.firstSeen, this.captures, this.named, this.looked + more);
  }

  /** The bytes with those marked that a survey is the first to show in use; undefined when there are none. */
  private marked({ owners }: Survey): Uint16Array | undefined {
    let marked: Uint16Array | undefined;
    for (const { offset, length, owner } of owners.runs()) {
      // What was not captured says nothing about other captures.
      if (owner === 'zero' || owner === 'not-captured') continue;
      for (let at = offset; at < offset + length; at += 1) {
        if (this.firstSeen[at] !== 0) continue;
        marked ??= this.firstSeen.slice();
        marked[at] = this.captures.length + 1;
      }
    }
    return marked;
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
