import {
  type AppendOutcome, type EventId, type EventStore, type LogPage, type ReadAllOptions, type ReadStreamOptions,
  type RecordedEvent, type StoreHealth, type StreamAppend, type StreamName, type StreamPage,
} from '@cadastre/event-store';

/** What became of the append whose answer is lost: it was never written, or it is durable and nobody was told. */
export const losses = ['never-written', 'written-untold'] as const;
export type Loss = (typeof losses)[number];

/** A store that loses the answer to one append, as a process that dies there does. The rest is the store inside. */
export class LosingStore implements EventStore {
  /** Appends that were asked for. */
  appends = 0;
  private next: { readonly append: number; readonly loss: Loss } | undefined;

  constructor(private readonly inside: EventStore) {}

  /** Loses the answer to the append with this number; the first one is 0. */
  lose(append: number, loss: Loss): void {
    this.next = { append, loss };
  }

  /** Loses no answer any more. Tells whether it lost the one it was to lose. */
  recover(): boolean {
    const isLost = this.next !== undefined && this.appends > this.next.append;
    this.next = undefined;
    return isLost;
  }

  async append(batch: readonly StreamAppend[]): Promise<AppendOutcome> {
    const number = this.appends;
    this.appends += 1;
    if (number !== this.next?.append) return this.inside.append(batch);
    if (this.next.loss === 'written-untold') await this.inside.append(batch);
    return { kind: 'unknown', cause: new Error('the power went') };
  }

  readStream(stream: StreamName, options?: ReadStreamOptions): Promise<StreamPage> {
    return this.inside.readStream(stream, options);
  }

  readAll(options?: ReadAllOptions): Promise<LogPage> {
    return this.inside.readAll(options);
  }

  findEvent(id: EventId): Promise<RecordedEvent | undefined> {
    return this.inside.findEvent(id);
  }

  check(): Promise<StoreHealth> {
    return this.inside.check();
  }

  close(): Promise<void> {
    return this.inside.close();
  }
}
