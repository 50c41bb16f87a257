import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EventStore, type Position, type RecordedEvent } from '@cadastre/event-store';

/** Feeds a view in memory from the log, each event once and in order, as far as the log reaches when it is asked. */
export class LogFollower {
  private after: Position | 'start' = 'start';
  private following: Promise<unknown> = Promise.resolve();
  /** The turn that has not begun: whoever asks meanwhile is answered by it. */
  private waiting: Promise<void> | undefined;

  /**
   * @param take takes in the next event; answers with a promise where it has to read more of the log for it
   * @param ahead asked where the log is read from its start, or is more than a page further: where the view stands
   *   then, when it comes further by another way
   */
  constructor(
    private readonly store: EventStore, private readonly take: (recorded: RecordedEvent) => Promise<void> | undefined,
    private readonly ahead: (after: Position | 'start') => Promise<Position | undefined> =
    () => Promise.resolve(undefined),
  ) {}

  /**
   * One reader at a time, since two would fold the same events twice. One that is under way may have passed the head
   * before the caller's own write, so the caller waits for the next, together with all who ask until it begins: all
   * that came in with one turn of the event loop are answered by one read.
   */
  follow(): Promise<void> {
    if (this.waiting) return this.waiting;
    const turn = this.following.then(() => nextTurn()).then(() => {
      this.waiting = undefined;
      return this.readOn();
    });
    this.waiting = turn;
    // Whoever asked hears of a failure; the next in line tries again.
    this.following = turn.catch(() => undefined);
    return turn;
  }

  private async readOn(): Promise<void> {
    if (this.after === 'start') await this.jump();
    for (;;) {
      const { events, head } = await this.store.readAll({ after: this.after });
      const last = events.at(-1);
      if (head !== 'empty' && last && last.position !== head && await this.jump()) continue;
      for (const recorded of events) {
        const reading = this.take(recorded);
        if (reading) await reading;
        this.after = recorded.position;
      }
      if (head === 'empty' || this.after === head) return;
      // A page is enough work for one turn: the store answers at once, and others wait for the thread.
      await nextTurn();
    }
  }

  private async jump(): Promise<boolean> {
    const ahead = await this.ahead(this.after);
    if (ahead !== undefined) this.after = ahead;
    return ahead !== undefined;
  }
}
