import { Logger } from '@nestjs/common';
import { type EventStore, type Position } from '@cadastre/event-store';

/** The newest position of the log, for replies that wrote nothing. */
export class Head {
  private readonly logger = new Logger(Head.name);
  private known: Position | 'start' = 'start';

  constructor(private readonly store: EventStore) {}

  /** Undefined while the log is empty, and when it cannot be read: the reply itself then says what is wrong. */
  async position(): Promise<number | undefined> {
    try {
      // Asking from the last known position on reads at most one event.
      const { head } = await this.store.readAll({ after: this.known, limit: 1 });
      if (head === 'empty') return undefined;
      this.known = head;
      return head;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.warn(`the position of a reply is not known: ${reason}`);
      return undefined;
    }
  }
}
