/** The injection token of the event store: a port has no class to inject by. */
export const EVENT_STORE = Symbol('EventStore');
