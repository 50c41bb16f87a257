/** A state that was folded once, and how far. */
export interface KeptState {
  readonly revision: number;
  readonly bytes: number;
}

/**
 * States in memory, the ones used last: as many as weigh no more together than the limit, and always the newest one,
 * however much it weighs, since the next command is about it.
 */
export class KeptStates<Kept extends KeptState> {
  /** In the order of their last use: a Map keeps the order of its insertions. */
  private readonly kept = new Map<string, Kept>();
  private weight = 0;

  constructor(private readonly bytesMax: number) {}

  get bytes(): number {
    return this.weight;
  }

  get(name: string): Kept | undefined {
    return this.kept.get(name);
  }

  /** Keeps a state in place of an earlier one; one that was folded less far than what is kept is let go of. */
  put(name: string, state: Kept): void {
    const before = this.kept.get(name);
    if (before && before.revision > state.revision) return;
    this.drop(name);
    this.kept.set(name, state);
    this.weight += state.bytes;
    for (const oldest of this.kept.keys()) {
      if (this.weight <= this.bytesMax || this.kept.size === 1) return;
      this.drop(oldest);
    }
  }

  private drop(name: string): void {
    this.weight -= this.kept.get(name)?.bytes ?? 0;
    this.kept.delete(name);
  }
}
