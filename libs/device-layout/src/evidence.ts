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

/** Bytes with one owner that a capture shows in use. */
export interface UsedRun extends ByteRange {
  readonly owner: Owner;
}

/** A capture and what it told: the bytes it is the first to show in use, or the first to show in no list. */
export interface CaptureTold extends CaptureNamed {
  /** In order of their offset. */
  readonly inUse: readonly UsedRun[];
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
    private readonly firstSeen: FirstSeen,
    /** The captures that told of a byte what none before them had told: in a fleet of one model, few. */
    readonly told: readonly CaptureTold[],
    /** The same as a decision names them. */
    readonly named: readonly CaptureNamed[],
    /** How many captures were looked at, those that told nothing new among them. */
    readonly looked: number,
  ) {}

  static of(captures: readonly FurtherCapture[]): Evidence {
    return captures.reduce<Evidence>((evidence, one) => evidence.with(one), Evidence.none);
  }

  /** The evidence that told this, put together again; throws when a capture tells what was told before it. */
  static from(told: readonly CaptureTold[], looked: number): Evidence {
    const evidence = told.reduce<Evidence>((before, one) => before.thatTells(one), Evidence.none);
    return evidence.andSoMany(looked - told.length);
  }

  /** The evidence with one more capture. */
  with({ source, survey }: FurtherCapture): Evidence {
    const inUse = this.firstToldBy(survey);
    if (inUse.length === 0) return this.andSoMany(1);
    return this.thatTells({ source, configSpaceDigest: Digest.ofSpace(survey.space), inUse });
  }

  /** The evidence with more captures of bytes that were looked at before: they tell nothing new. */
  andSoMany(more: number): Evidence {
    return more === 0 ? this : new Evidence(this.firstSeen, this.told, this.named, this.looked + more);
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

  private first(range: ByteRange, seen: Uint16Array): SeenInUse | undefined {
    for (let at = range.offset; at < range.offset + range.length; at += 1) {
      const capture = this.told[(seen[at] ?? 0) - 1];
      const run = capture?.inUse.find(({ offset, length }) => offset <= at && at < offset + length);
      if (capture && run) return { at, owner: run.owner, source: capture.source };
    }
    return undefined;
  }

  /** The bytes of which a survey tells something new. */
  private firstToldBy({ owners }: Survey): readonly UsedRun[] {
    const told: UsedRun[] = [];
    for (const { offset, length, owner } of owners.runs()) {
      // What was not captured says nothing about other captures.
      if (owner === 'zero' || owner === 'not-captured') continue;
      const isListed = listed.includes(owner);
      let begin = offset;
      for (let at = offset; at <= offset + length; at += 1) {
        if (at < offset + length && tellsNew(this.firstSeen, at, isListed)) continue;
        if (at > begin) told.push({ offset: begin, length: at - begin, owner });
        begin = at + 1;
      }
    }
    return told;
  }

  private thatTells({ source, configSpaceDigest, inUse }: CaptureTold): Evidence {
    if (this.told.length >= furtherCapturesMax) throw new RangeError(`more than ${furtherCapturesMax} captures`);
    const seen = { inUse: this.firstSeen.inUse.slice(), unlisted: this.firstSeen.unlisted.slice() };
    const number = this.told.length + 1;
    for (const { offset, length, owner } of inUse) {
      const isListed = listed.includes(owner);
      for (let at = offset; at < offset + length; at += 1) {
        if (!tellsNew(seen, at, isListed)) throw new Error(`byte ${at} was told of before ${source} told of it`);
        if (seen.inUse[at] === 0) seen.inUse[at] = number;
        if (!isListed && seen.unlisted[at] === 0) seen.unlisted[at] = number;
      }
    }
    const named = { source, configSpaceDigest };
    return new Evidence(seen, [...this.told, { ...named, inUse }], [...this.named, named], this.looked + 1);
  }
}

function tellsNew({ inUse, unlisted }: FirstSeen, at: number, isListed: boolean): boolean {
  return inUse[at] === 0 || (!isListed && unlisted[at] === 0);
}
