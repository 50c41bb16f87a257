import { canonicalJson } from '@cadastre/device-layout';
import { type EventStore, pageSizeMax, StreamName, StreamRevision } from '@cadastre/event-store';
import { decodeEvent, stateForm } from '@cadastre/lifecycle';
import { type ListedState, type SavedStates } from '@cadastre/views';
import { kindOfStream, type StreamKind } from './stream-kind.js';

/** A state in the file that the log does not give. */
export interface WrongState {
  readonly stream: string;
  readonly revision: number;
}

export interface StateCheck {
  readonly states: number;
  readonly wrong: readonly WrongState[];
}

/** Folds every stream of which states are kept, from the log alone, and compares. Writes nothing. */
export async function checkStates(store: EventStore, states: SavedStates): Promise<StateCheck> {
  const wrong: WrongState[] = [];
  let count = 0;
  let at: Fold | undefined;
  for (const saved of states.all(stateForm)) {
    if (at?.stream !== saved.stream) at = new Fold(saved.stream, kindOfStream(saved.stream));
    count += 1;
    if (await at.gives(saved, store, states)) continue;
    const { stream, revision } = saved;
    wrong.push({ stream, revision });
  }
  return { states: count, wrong };
}

/** A stream, folded on from one kept state to the next. */
class Fold {
  private state: unknown;
  private next = 0;

  constructor(readonly stream: string, private readonly kind: StreamKind<unknown>) {
    this.state = kind.initial;
  }

  async gives(
    { revision, eventId, eventSha256, isWhole, text }: ListedState, store: EventStore, states: SavedStates,
  ): Promise<boolean> {
    let stands = false;
    while (this.next <= revision) {
      const { events } = await store.readStream(StreamName.from(this.stream), {
        from: StreamRevision.from(this.next), limit: Math.min(pageSizeMax, revision - this.next + 1) });
      const last = events.at(-1);
      if (!last) return false;
      for (const { data } of events) this.state = this.kind.evolve(this.state, decodeEvent(data).event);
      stands = last.id === eventId && last.sha256 === eventSha256;
      this.next += events.length;
    }
    const kept = stands && isWhole ? this.kind.read(text, states.part) : undefined;
    return kept !== undefined && canonicalJson(kept) === canonicalJson(this.state);
  }
}
