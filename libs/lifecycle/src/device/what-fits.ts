import { syntheticCapability, type SyntheticName } from '@cadastre/device-layout';
import { type DeviceKey } from '../stream-key.js';
import {
  decideLayout, type DecideRefusal, type LayoutGround, type LayoutWish, type ShownPlaces,
} from './decide-layout.js';
import { type DecidedLayout } from './device-events.js';
import { explainDecideRefusal } from './explain-decide-refusal.js';

/** What an attach would refuse. */
export interface RefusedWish {
  /** The capability that is refused; null where it is the wish as a whole. */
  readonly name: SyntheticName | null;
  readonly refusal: DecideRefusal;
  readonly explanation: string;
}

/** `layout` is what an attach would decide when nothing is refused; otherwise what it would without that. */
export interface WhatFits {
  readonly layout: DecidedLayout | null;
  readonly refused: readonly RefusedWish[];
}

/**
 * The decision itself, for people who ask before they attach: a capability that is refused is told and left out, and
 * the rest is decided again. What is recorded is all or nothing: `decideLayout`.
 */
export function whatFits(
  key: DeviceKey, wish: LayoutWish, ground: LayoutGround, shown: ShownPlaces | null,
): WhatFits {
  const refused: RefusedWish[] = [];
  const place = ({ name }: RefusedWish): number => wish.requested.findIndex((one) => one.name === name);
  let { requested } = wish;
  for (;;) {
    const decided = decideLayout(key, { ...wish, requested }, ground, shown);
    // In the order of the request, whatever was found out first.
    if (decided.ok) return { layout: decided.value, refused: refused.sort((a, b) => place(a) - place(b)) };
    const { refusal } = decided;
    const explanation = explainDecideRefusal(refusal);
    const names = refusedBy(refusal, requested.map(({ name }) => name));
    if (names.length === 0) return { layout: null, refused: [...refused, { name: null, refusal, explanation }] };
    for (const name of names) refused.push({ name, refusal, explanation });
    requested = requested.filter(({ name }) => !names.includes(name));
  }
}

/** Which of the capabilities a refusal is about; none where it would be the same without them. */
function refusedBy(refusal: DecideRefusal, wanted: readonly SyntheticName[]): readonly SyntheticName[] {
  switch (refusal.kind) {
    case 'pasid-width-out-of-range': case 'pasid-not-supported': case 'pasid-execute-not-supported':
    case 'pasid-privileged-not-supported':
      return ['pasid'];
    case 'ats-not-supported': case 'registers-missing': case 'register-unknown': case 'register-out-of-range':
    case 'capability-wanted-twice': case 'capability-not-for-function': case 'no-place':
      return [refusal.name];
    case 'no-extended-space': case 'extended-space-unreadable': case 'extended-list-broken':
      return wanted.filter((name) => syntheticCapability(name).space === 'extended');
    case 'standard-list-broken':
      return wanted.filter((name) => syntheticCapability(name).space === 'standard');
    case 'space-not-whole': case 'function-gone':
      return wanted;
    case 'function-not-observed': case 'function-not-assignable': case 'persona-does-not-fit':
    case 'persona-worn-whole': case 'persona-moves-places': case 'vmm-unknown': case 'operation-impossible':
      return [];
  }
}
