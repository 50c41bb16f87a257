/** Thrown by every call on a store that was closed: whoever holds it should have stopped before. */
export class StoreClosed extends Error {
  override readonly name = 'StoreClosed';

  constructor() {
    super('The event store is closed');
  }
}
