/** More names than most ledgers have streams; with them the map takes some 20 MiB. */
export const namesMax = 100_000;

/**
 * One string for each name, for ever the same. A piece of a long text keeps all of the text in memory, and readers
 * keep the names of streams; besides, a string that was looked up before is found faster the next time.
 */
export class KnownNames {
  readonly #known = new Map<string, string>();

  get size(): number {
    return this.#known.size;
  }

  own<Name extends string>(name: Name): Name {
    const known = this.#known.get(name);
    // What is found under a name is this name.
    if (known !== undefined) return known as Name;
    if (this.#known.size >= namesMax) this.#known.clear();
    const copy = Buffer.from(name, 'utf8').toString('utf8') as Name;
    this.#known.set(copy, copy);
    return copy;
  }
}
