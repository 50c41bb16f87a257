/** What was recorded and cannot all be true, or cannot all be well. */
export const clashKinds = [
  /** Another vendor or device ID answers at an address that a device holds. */
  'identity-changed-while-claimed',
  /** The same function, but its class or its capability lists are not those a running layout stands on. */
  'structure-changed-under-layout',
  /** A guest has no more what it was promised: a place that was taken, a register that is weaker, a link elsewhere. */
  'layout-endangered',
  /** What the guest reads is neither the decided layout nor what was predicted for its VMM. */
  'guest-sees-another-layout',
  /** A VF names a physical function that was observed to be none. */
  'stated-pf-is-no-pf',
  /** A device came to a VF while the physical function it names was unknown: nobody could look there. */
  'stated-pf-is-unregistered',
  /** One serial number at two hosts: a card that moved and was not retired, or one host under two names. */
  'serial-number-on-two-hosts',
] as const;
export type ClashKind = (typeof clashKinds)[number];

/** One contradiction, at the event that brought it to light. It stays in the list after it was mended. */
export interface Clash {
  readonly kind: ClashKind;
  readonly position: number;
  /** UTC, ISO 8601. */
  readonly recordedAt: string;
  /** The streams that disagree, the event's own first; at most `clashStreamsMax`. */
  readonly streams: readonly string[];
  readonly detail: Readonly<Record<string, string | null>>;
}

/** A clash names so many streams at most: of one PF's 65,535 VFs a few tell what is wrong. */
export const clashStreamsMax = 16;

/** Dangers a clash puts into words; its event has all of them. */
export const dangersTold = 8;
