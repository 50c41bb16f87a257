import { type EventStore, type Position, type RecordedEvent } from '@cadastre/event-store';

/** Feeds a view in memory from the log, each event once and in order, as far as the log reaches when it is asked. */
export class LogFollower {
  private after: Position | 'start' = 'start';
  private following: Promise<unknown> = Promise.resolve();

  constructor(private readonly store: EventStore, private readonly take: (recorded: RecordedEvent) => void) {}

  /**
   * One reader at a time, since two would fold the same events twice; and each reads for itself, since one that was
   * under way may have passed the head before the caller's own write.
   */
  follow(): Promise<void> {
    const turn = this.following.then(() => this.readOn());
    // Whoever asked hears of a failure; the next in line tries again.
    this.following = turn.catch(() => undefined);
    return turn;
  }

  private async readOn(): Promise<void> {
    for (;;) {
      const { events, head } = await this.store.readAll({ after: this.after });
      for (const recorded of events) {
        this.take(recorded);
        this.after = recorded.position;
      }
      if (head === 'empty' || this.after === head) return;
    }
  }
}
