/** The most characters in an event type: far more than the longest name a reader would put up with. */
export const eventTypeCharsMax = 100;

const grammar = /^[A-Za-z][A-Za-z0-9._-]*$/;

/** Throws on an event type that is not 1 to 100 plain characters, for example `DeviceAttached`. */
export function assertEventType(type: string): void {
  if (type.length <= eventTypeCharsMax && grammar.test(type)) return;
  throw new RangeError(`Not an event type (${grammar.source}, up to ${eventTypeCharsMax} characters): ${type}`);
}
