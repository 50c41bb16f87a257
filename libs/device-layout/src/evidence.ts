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

/**
 * Captures one decision may name: those that told something new. Each of 4096 bytes can be told twice: as part of a
 * capability, and as a register that no list tells of.
 */
export const furtherCapturesMax = 2 * extendedSizeBytes;

/** What a list tells of: whoever obeys a whole layout sees it and hides it. Anything else lies there unseen. */
const listed: readonly Owner[] = ['capability', 'hidden-capability'];

/** For each byte, 1 + the index of the first capture that shows it in use; 0 while none does. */
interface FirstSeen {
  /** By whatever owns it there. */
  readonly inUse: Uint16Array;
  /** By something that no list tells of: a capability of one unit says nothing about a register of another. */
  readonly unlisted: Uint16Array;
}

/**
 * What many captures of one model say about its bytes: one that was ever part of anything, or ever not zero, is not
 * free. Made once for a model and used for every plan over it; a further capture gives another evidence.
 */
export class Evidence {
  static readonly none = new Evidence(
    { inUse: new Uint16Array(extendedSizeBytes), unlisted: new Uint16Array(extendedSizeBytes) }, [], [], 0);

  private constructor(
    private readonly firstSeen: FirstSeen, private readonly captures: readonly FurtherCapture[],
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
    const named = { source, configSpaceDigest: Digest.ofSpace(survey.space) };
    return new Evidence(firstSeen, [...this.captures, capture], [...this.named, named], this.looked + 1);
  }

  /** The evidence with more captures of bytes that were looked at before: they tell nothing new. */
  andSoMany(more: number): Evidence {
    return new Evidence(this.firstSeen, this.captures, this.named, this.looked + more);
  }

  /** The bytes with those marked that a survey is the first to show in use; undefined when there are none. */
  private marked({ owners }: Survey): FirstSeen | undefined {
    let marked: FirstSeen | undefined;
    for (const { offset, length, owner } of owners.runs()) {
      // What was not captured says nothing about other captures.
      if (owner === 'zero' || owner === 'not-captured') continue;
      for (const told of listed.includes(owner) ? ['inUse'] as const : ['inUse', 'unlisted'] as const) {
        for (let at = offset; at < offset + length; at += 1) {
          if (this.firstSeen[told][at] !== 0) continue;
          marked ??= { inUse: this.firstSeen.inUse.slice(), unlisted: this.firstSeen.unlisted.slice() };
          marked[told][at] = this.captures.length + 1;
        }
      }
    }
    return marked;
  }

  /** The first byte of a range that some capture shows in use, as the first capture does that shows it. */
  inUse(range: ByteRange): SeenInUse | undefined {
    return this.first(range, this.firstSeen.inUse);
  }

  /**
   * The same of bytes that no list tells of, whatever was listed there before: a VMM that hides whatever it sees in a
   * list has only these to fear.
   */
  unlisted(range: ByteRange): SeenInUse | undefined {
    return this.first(range, this.firstSeen.unlisted);
  }

  private first({ offset, length }: ByteRange, seen: Uint16Array): SeenInUse | undefined {
    for (let at = offset; at < offset + length; at += 1) {
      const capture = this.captures[(seen[at] ?? 0) - 1];
      if (capture) return { at, owner: capture.survey.owners.ownerAt(at).owner, source: capture.source };
    }
    return undefined;
  }
}
