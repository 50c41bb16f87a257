import {
  EventId, type EventStore, type ExpectedRevision, eventsPerAppendMax, type RecordedEvent, StreamName, StreamRevision,
} from '@cadastre/event-store';
import { type Digest } from '@cadastre/device-layout';
import { decodeEvent, encodeEvent, type LedgerEvent } from '@cadastre/lifecycle';
import { type Clock } from './clock.js';
import { type CommandOutcome, type Refusal } from './outcome.js';
import { eventAt } from './timeline.js';

/** What makes a request this request and no other. */
export interface RequestIdentity {
  readonly idempotencyKey: string;
  readonly requestDigest: Digest;
}

/** New events of one stream, decided at one revision. */
export interface Change {
  readonly stream: string;
  readonly expectedRevision: ExpectedRevision;
  readonly events: readonly LedgerEvent[];
}

/** A stream a decision stands on and does not change: what was decided holds only while it is where it was read. */
export type Guard = Omit<Change, 'events'>;

/** What a decision came to: changes of one or more streams, the one that answers first; or a refusal. */
export type Decided<State> =
  | { readonly kind: 'decided'; readonly changes: readonly [Change, ...Change[]];
      /** Those that are changed as well, and those that were never begun, may be among them. */
      readonly standsOn?: readonly Guard[];
      /** The answering stream's state after its events, which come as they were written. */
      after(recorded: readonly LedgerEvent[]): State }
  /** Nothing to do: the stream stands where the command would bring it. Nothing is written. */
  | { readonly kind: 'settled'; readonly stream: string; readonly revision: number; readonly state: State }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** A command as the recorder runs it. */
export interface Recording<State> {
  /** The stream that commands like this one contend for. */
  readonly stream: string;
  /** Reads the streams and decides. Runs again when somebody else wrote to one of them meanwhile. */
  decide(): Promise<Decided<State>>;
  /** The state of the answering stream at an earlier revision: what a repeated command is answered from. */
  stateAt(revision: number): Promise<State>;
}

/** A command loses a race only to one that won it; so many lost in a row mean a client in a loop. */
export const attemptsMax = 8;

/**
 * The only way into the log: one idempotency key, one effect, for ever (law 2); durable before it is told (law 1).
 * Concurrent commands are ordered by the exact revisions they were decided at, not by locks.
 */
export class Recorder {
  private readonly inFlight = new Set<string>();
  private readonly turns = new Map<string, Promise<unknown>>();

  private constructor(
    private readonly store: EventStore, private readonly clock: Clock, private lastRecordedAt: number,
  ) {}

  /** Begins where the log ends, so that recorded instants never run backwards. */
  static async open(store: EventStore, clock: Clock): Promise<Recorder> {
    const newest = await newestEvent(store);
    const at = newest ? Date.parse(decodeEvent(newest.data).envelope.recordedAt) : 0;
    return new Recorder(store, clock, at);
  }

  async record<State>(identity: RequestIdentity, recording: Recording<State>): Promise<CommandOutcome<State>> {
    const { idempotencyKey } = identity;
    if (this.inFlight.has(idempotencyKey)) return refused({ kind: 'key-in-flight', idempotencyKey });
    this.inFlight.add(idempotencyKey);
    try {
      return await this.firstAnswer(identity, recording)
        ?? await this.inTurn(recording.stream, () => this.attempt(identity, recording));
    } finally {
      this.inFlight.delete(idempotencyKey);
    }
  }

  /**
   * Commands of one stream take turns in this process: decided at once, all but one would be decided again. This is
   * courtesy, not safety; what keeps writers apart is the exact revision.
   */
  private inTurn<Answer>(stream: string, work: () => Promise<Answer>): Promise<Answer> {
    const before = this.turns.get(stream) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.turns.set(stream, turn);
    const leave = (): void => {
      if (this.turns.get(stream) === turn) this.turns.delete(stream);
    };
    turn.then(leave, leave);
    return turn;
  }

  private async attempt<State>(
    identity: RequestIdentity, recording: Recording<State>,
  ): Promise<CommandOutcome<State>> {
    let stream = '';
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      const decided = await recording.decide();
      if (decided.kind === 'refused') return decided;
      if (decided.kind === 'settled') return this.settled(decided);
      const moved = movedWhileRead(decided);
      if (moved !== undefined) {
        stream = moved;
        continue;
      }
      const batch = this.encode(withGuards(decided), identity);
      const outcome = await this.store.append(batch);
      switch (outcome.kind) {
        case 'appended': {
          const revision = outcome.revisions.get(StreamName.from(decided.changes[0].stream));
          if (revision === undefined) throw new Error(`no revision for ${decided.changes[0].stream}`);
          const { position, again: replayed } = outcome;
          // Folded from the written bytes, as every later answer will be: the first one equals them to the letter.
          const state = decided.after(batch[0]?.events.map(({ data }) => decodeEvent(data).event) ?? []);
          return { kind: 'recorded', state, revision, position, replayed };
        }
        case 'unknown':
          return refused({ kind: 'outcome-unknown', reason: outcome.cause.message });
        case 'event-id-taken': {
          // Another process used the key between our look and our append.
          const answer = await this.firstAnswer(identity, recording);
          if (answer) return answer;
          throw new Error(`event id ${outcome.id} is taken, but not by key ${identity.idempotencyKey}`);
        }
        case 'revision-moved':
          stream = outcome.stream;
      }
    }
    return refused({ kind: 'too-contended', stream, attempts: attemptsMax });
  }

  /**
   * The answer of a command that came to what stands already: that of the command which brought it there, position and
   * all. Nothing is recorded, so the key is still free.
   */
  private async settled<State>(
    { stream, revision, state }: Extract<Decided<State>, { kind: 'settled' }>,
  ): Promise<CommandOutcome<State>> {
    const from = StreamRevision.from(revision);
    const [newest] = (await this.store.readStream(StreamName.from(stream), { from, limit: 1 })).events;
    if (!newest) throw new Error(`${stream} has no revision ${revision}`);
    const events = await this.eventsOf(decodeEvent(newest.data).envelope.idempotencyKey);
    const { position } = events.at(-1) ?? newest;
    return { kind: 'recorded', state, revision, position, replayed: false };
  }

  /** The answer to the first use of the key, if there was one. */
  private async firstAnswer<State>(
    { idempotencyKey, requestDigest }: RequestIdentity, recording: Recording<State>,
  ): Promise<CommandOutcome<State> | undefined> {
    const events = await this.eventsOf(idempotencyKey);
    const [first] = events;
    const last = events.at(-1);
    if (!first || !last) return undefined;
    if (decodeEvent(first.data).envelope.requestDigest !== requestDigest) {
      return refused({ kind: 'key-reused', idempotencyKey });
    }
    // The answering stream is written first, so its events are those that share the first one's stream.
    const { revision } = events.filter((event) => event.stream === first.stream).at(-1) ?? first;
    const state = await recording.stateAt(revision);
    return { kind: 'recorded', state, revision, position: last.position, replayed: true };
  }

  private async eventsOf(idempotencyKey: string): Promise<readonly RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    while (events.length < eventsPerAppendMax) {
      const event = await this.store.findEvent(EventId.derive(idempotencyKey, events.length));
      if (!event) break;
      events.push(event);
    }
    return events;
  }

  private encode(changes: readonly Change[], identity: RequestIdentity): Parameters<EventStore['append']>[0] {
    this.lastRecordedAt = Math.max(this.clock.now().getTime(), this.lastRecordedAt);
    const envelope = { ...identity, recordedAt: new Date(this.lastRecordedAt).toISOString() };
    let index = 0;
    return changes.map(({ stream, expectedRevision, events }) => ({
      stream: StreamName.from(stream),
      expectedRevision,
      events: events.map((event) => {
        const id = EventId.derive(identity.idempotencyKey, index);
        index += 1;
        return { id, type: event.type, data: encodeEvent({ event, envelope }) };
      }),
    }));
  }
}

/** A stream that a decision read twice, and that somebody wrote to between: it stands on what is gone already. */
function movedWhileRead<State>(
  { changes, standsOn = [] }: Extract<Decided<State>, { kind: 'decided' }>,
): string | undefined {
  const read = new Map<string, ExpectedRevision>();
  return [...changes, ...standsOn].find(({ stream, expectedRevision }) => {
    const before = read.get(stream);
    read.set(stream, expectedRevision);
    return before !== undefined && before !== expectedRevision;
  })?.stream;
}

/** The changes, and what else the decision stands on, each stream once. */
function withGuards<State>(
  { changes, standsOn = [] }: Extract<Decided<State>, { kind: 'decided' }>,
): readonly Change[] {
  const named = new Set(changes.map(({ stream }) => stream));
  const guards = standsOn.filter(({ stream }) => !named.has(stream) && named.add(stream));
  return [...changes, ...guards.map((guard) => ({ ...guard, events: [] }))];
}

function refused(refusal: Refusal): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal };
}

async function newestEvent(store: EventStore): Promise<RecordedEvent | undefined> {
  const { head } = await store.readAll({ limit: 1 });
  return head === 'empty' ? undefined : eventAt(store, head);
}
