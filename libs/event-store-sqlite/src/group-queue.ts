export interface GroupBounds {
  readonly itemsMax: number;
  readonly bytesMax: number;
}

/**
 * Gathers what is handed over during one turn of the event loop and passes it on as one group, in order. A group that
 * is full is passed on at once, so that what waits is bounded and nobody has to be turned away.
 */
export class GroupQueue<Item> {
  readonly #bounds: GroupBounds;
  readonly #passOn: (group: readonly Item[]) => void;
  #waiting: Item[] = [];
  #bytes = 0;
  #turn: NodeJS.Immediate | undefined;

  /** @param passOn must not throw, and is never called with an empty group */
  constructor(bounds: GroupBounds, passOn: (group: readonly Item[]) => void) {
    this.#bounds = bounds;
    this.#passOn = passOn;
  }

  add(item: Item, bytes: number): void {
    if (this.#bytes + bytes > this.#bounds.bytesMax) this.flush();
    this.#waiting.push(item);
    this.#bytes += bytes;
    if (this.#waiting.length >= this.#bounds.itemsMax) this.flush();
    else this.#turn ??= setImmediate(() => this.flush());
  }

  /** Passes on what is waiting, if anything is. */
  flush(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    if (this.#waiting.length === 0) return;
    const group = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    this.#passOn(group);
  }
}
