/** Where instants come from. A port, because the core reads no clock and tests bring their own. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
