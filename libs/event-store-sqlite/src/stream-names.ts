import { type StreamName } from '@cadastre/event-store';

/** As many streams as most ledgers have; their names take some 10 MiB. */
export const streamNamesMax = 100_000;

/**
 * One string for the name of each stream, which has one number in its file for ever. A piece of a long text keeps all
 * of the text in memory, and readers keep names; besides, a string that was looked up before is found faster.
 */
export class StreamNames {
  readonly #known = new Map<number, StreamName>();

  own(streamId: number, name: StreamName): StreamName {
    const known = this.#known.get(streamId);
    if (known !== undefined) return known;
    if (this.#known.size >= streamNamesMax) this.#known.clear();
    const copy = Buffer.from(name, 'utf8').toString('utf8') as StreamName;
    this.#known.set(streamId, copy);
    return copy;
  }

  get size(): number {
    return this.#known.size;
  }
}
