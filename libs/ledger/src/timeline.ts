import { type EventStore, Position, type RecordedEvent } from '@cadastre/event-store';
import { decodeEvent } from '@cadastre/lifecycle';
import { type Clock } from './clock.js';
import { type Moment } from './moment.js';
import { type LedgerRefusal } from './outcome.js';

/** The position of the last event a moment has behind it, or why it is none of the log. */
export type FoundMoment =
  | { readonly kind: 'found'; readonly position: Position }
  | { readonly kind: 'refused'; readonly refusal: Extract<LedgerRefusal, { kind: 'position-unknown' }> };

/** Where in the log a moment is. What is still to come is refused: the answer would be another one tomorrow. */
export class Timeline {
  constructor(private readonly store: EventStore, private readonly clock: Clock) {}

  async find(moment: Moment): Promise<FoundMoment> {
    const { head } = await this.store.readAll({ limit: 1 });
    if (moment.kind === 'instant') return this.findInstant(moment.instant, head);
    const { position } = moment;
    return head !== 'empty' && position <= head ? { kind: 'found', position } : unknown(String(position), head);
  }

  /** Recorded time never runs backwards, so the last event at or before an instant is found by halving the log. */
  private async findInstant(instant: number, head: Position | 'empty'): Promise<FoundMoment> {
    const asked = new Date(instant).toISOString();
    if (head === 'empty' || await this.recordedAt(Position.from(0)) > instant) return unknown(asked, head);
    const newest = await this.recordedAt(head);
    if (newest <= instant) {
      const isToCome = newest < instant && this.clock.now().getTime() < instant;
      return isToCome ? unknown(asked, head) : { kind: 'found', position: head };
    }
    let before: number = 0;
    let behind: number = head;
    while (behind - before > 1) {
      const middle = Position.from(Math.floor((before + behind) / 2));
      if (await this.recordedAt(middle) <= instant) before = middle;
      else behind = middle;
    }
    return { kind: 'found', position: Position.from(before) };
  }

  private async recordedAt(position: Position): Promise<number> {
    return Date.parse(decodeEvent((await eventAt(this.store, position)).data).envelope.recordedAt);
  }
}

/** The event at a position that is known to be in the log. */
export async function eventAt(store: EventStore, position: Position): Promise<RecordedEvent> {
  const after = position === 0 ? 'start' : Position.from(position - 1);
  const [event] = (await store.readAll({ after, limit: 1 })).events;
  if (!event) throw new RangeError(`no event at position ${position}`);
  return event;
}

function unknown(asked: string, head: Position | 'empty'): FoundMoment {
  return { kind: 'refused', refusal: { kind: 'position-unknown', asked, head: head === 'empty' ? null : head } };
}
