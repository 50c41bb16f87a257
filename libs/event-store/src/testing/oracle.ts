import { type EventId } from '../event-id.js';
import { type ExpectedRevision } from '../expected-revision.js';
import { type NewEvent } from '../new-event.js';
import { type StreamAppend } from '../stream-append.js';
import { type StreamName } from '../stream-name.js';
import { StreamRevision } from '../stream-revision.js';

interface Line {
  readonly stream: StreamName;
  readonly event: NewEvent;
}

/**
 * The contract once more, as slowly and plainly as it can be said: one array, searched from end to end each time.
 * It shares no code with any store, so that a store and its oracle cannot be wrong together.
 */
export class Oracle {
  readonly #lines: Line[] = [];

  revisionOf(stream: StreamName): ExpectedRevision {
    const count = this.#linesOf(stream).length;
    return count === 0 ? 'no-stream' : StreamRevision.from(count - 1);
  }

  /** What a store must answer, without `actual`s spelled out of order; `'throws'` for a bug of the caller. */
  append(batch: readonly StreamAppend[]): object | 'throws' {
    const all = batch.flatMap(({ stream, expectedRevision, events }) =>
      events.map((event, index) => ({ stream, event, due: this.#due(expectedRevision) + index })));
    if (all.length === 0 || new Set(all.map(({ event }) => event.id)).size < all.length) return 'throws';

    const places = all.map(({ stream, event, due }) => {
      const position = this.#lines.findIndex((line) => line.event.id === event.id);
      const there = this.#linesOf(stream)[due];
      const same = there !== undefined && there.event.id === event.id && there.event.type === event.type
        && there.event.data === event.data;
      return { id: event.id, position, same };
    });
    const taken = places.find(({ position, same }) => position >= 0 && !same);
    if (taken) return { kind: 'event-id-taken', id: taken.id, position: taken.position };
    if (places.every(({ same }) => same)) {
      return this.#appended(batch, Math.max(...places.map(({ position }) => position)), true);
    }

    const moved = batch.find(({ stream, expectedRevision }) => this.revisionOf(stream) !== expectedRevision);
    if (moved) {
      const { stream, expectedRevision: expected } = moved;
      return { kind: 'revision-moved', stream, expected, actual: this.revisionOf(stream) };
    }
    this.#lines.push(...all.map(({ stream, event }) => ({ stream, event })));
    return this.#appended(batch, this.#lines.length - 1, false);
  }

  /** Positions, revisions and events as a read has to show them, from the 0-based place `from` on. */
  log(from: number, limit: number): readonly object[] {
    return this.#lines.map((line, position) => this.#shown(line, position)).slice(from, from + limit);
  }

  stream(stream: StreamName, from: number, limit: number): readonly object[] {
    return this.log(0, this.#lines.length).filter((_, position) => this.#lines[position]?.stream === stream)
      .slice(from, from + limit);
  }

  event(id: EventId): object | undefined {
    return this.log(0, this.#lines.length).find((_, position) => this.#lines[position]?.event.id === id);
  }

  get length(): number {
    return this.#lines.length;
  }

  #shown({ stream, event }: Line, position: number): object {
    const revision = this.#lines.slice(0, position).filter((line) => line.stream === stream).length;
    return { position, stream, revision, id: event.id, type: event.type, data: event.data };
  }

  #linesOf(stream: StreamName): readonly Line[] {
    return this.#lines.filter((line) => line.stream === stream);
  }

  #due(expected: ExpectedRevision): number {
    return expected === 'no-stream' ? 0 : expected + 1;
  }

  #appended(batch: readonly StreamAppend[], position: number, again: boolean): object {
    const written = batch.filter(({ events }) => events.length > 0);
    const revisions = new Map(written.map(({ stream, expectedRevision, events }) =>
      [stream, this.#due(expectedRevision) + events.length - 1]));
    return { kind: 'appended', position, revisions, again };
  }
}
