import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Evidence, type FurtherCapture, type LayoutDocument } from '@cadastre/device-layout';
import {
  decidedDocument, deviceDecider, type DeviceKey, type DeviceState, functionDecider,
  type FunctionKey, functionStream, type LayoutGround, type LayoutWish, type RegisteredFunction, vmDecider,
  whatFits, type WhatFits,
} from '@cadastre/lifecycle';
import { ModelEvidence } from '../functions/model-evidence.js';
import { type Refusal } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';
import { unknownOf } from './attach-device.js';
import { groundOf, type NamedWish, wishOf } from './ground-of.js';

/** A function of the ledger, or one that is brought along. */
export type PlannedOver =
  | { readonly kind: 'registered'; readonly key: FunctionKey }
  | { readonly kind: 'brought'; readonly function: RegisteredFunction;
      readonly physicalFunction: LayoutGround['physicalFunction'] };

export type PlanLayoutOutcome =
  | { readonly kind: 'found'; readonly fits: WhatFits; readonly document: LayoutDocument | null }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * What an attach would decide, and of what it would refuse the rest as well; nothing is recorded. With a device, what
 * its guests may have cached counts, and whoever may not attach it is refused.
 */
export class PlanLayout extends Query<PlanLayoutOutcome> {
  constructor(
    readonly over: PlannedOver, readonly wish: NamedWish, readonly device: DeviceKey | null,
    /** Beside those of the ledger. */
    readonly captures: readonly FurtherCapture[],
  ) {
    super();
  }
}

@QueryHandler(PlanLayout)
export class PlanLayoutHandler implements IQueryHandler<PlanLayout> {
  constructor(private readonly reader: StreamReader, private readonly evidence: ModelEvidence) {}

  async execute({ over, wish: named, device, captures }: PlanLayout): Promise<PlanLayoutOutcome> {
    const ground = await this.ground(over, captures);
    if (!ground) {
      if (over.kind === 'brought') throw new Error('a function that is brought along is there');
      return { kind: 'refused', refusal: { kind: 'function-not-registered', ...over.key } };
    }
    const wish = await wishOf(named, this.reader);
    if (!wish) return { kind: 'refused', refusal: { kind: 'persona-unknown', ...unknownOf(named) } };
    const state = device ? (await this.reader.device(device)).state : deviceDecider.initial;
    // A name for the fragments of a VMM's configuration, where the caller has none yet.
    const key = device ?? { vm: 'vm', device: 'device' } as DeviceKey;
    const barred = whyBarred(state, key, device !== null, ground, wish)
      ?? (state.kind === 'attached' || !device ? undefined : await this.whyLocked(device));
    if (barred) return { kind: 'refused', refusal: barred };
    const fits = whatFits(key, wish, ground, shownBy(state));
    const outright = fits.refused.find(({ refusal }) => isOutright(refusal));
    if (outright) return { kind: 'refused', refusal: outright.refusal };
    const facts = ground.function.observation?.facts;
    const document = fits.layout && facts ? decidedDocument(fits.layout, facts) : null;
    return { kind: 'found', fits, document };
  }

  /** A VM on its way to another host takes no device. */
  private async whyLocked({ vm }: DeviceKey): Promise<Refusal | undefined> {
    const free = vmDecider.decide({ kind: 'change-devices', vm }, (await this.reader.vm(vm)).state);
    return free.ok ? undefined : free.refusal;
  }

  private async ground(over: PlannedOver, captures: readonly FurtherCapture[]): Promise<LayoutGround | undefined> {
    const owned = over.kind === 'brought' ? over.function : (await this.reader.function(over.key)).state;
    if (owned.kind === 'unregistered') return undefined;
    const ground = await groundOf(owned, this.reader, this.evidence);
    const evidence = captures.reduce((known, one) => known.with(one), ground.evidence ?? Evidence.none);
    return {
      ...ground, evidence: ground.evidence || captures.length > 0 ? evidence : null,
      ...(over.kind === 'brought' ? { physicalFunction: over.physicalFunction } : {}),
    };
  }
}

/** Why the device cannot have a layout over the function, whatever is wanted. */
function whyBarred(
  state: DeviceState, key: DeviceKey, isNamed: boolean, ground: LayoutGround, wish: LayoutWish,
): Refusal | undefined {
  if (state.kind === 'attached') {
    const isItsOwn = functionStream(state.function) === functionStream(ground.function.key);
    const decided = deviceDecider.decide(isItsOwn ? { kind: 'decide-layout', key, ground, wish }
      : { kind: 'attach-device', key, ground, wish, hotPlugOrder: null }, state);
    return !decided.ok && isBar(decided.refusal) ? decided.refusal : undefined;
  }
  const claim = { kind: 'claim-function', key: ground.function.key, by: key, migration: null } as const;
  const claimed = functionDecider.decide(claim, ground.function);
  return isNamed && !claimed.ok ? claimed.refusal : undefined;
}

function isBar({ kind }: Refusal): boolean {
  return kind === 'device-attached' || kind === 'layout-seen';
}

/** There is nothing to decide over, or nobody to decide for. */
function isOutright({ kind }: Refusal): boolean {
  return kind === 'function-not-observed' || kind === 'function-not-assignable' || kind === 'vmm-unknown';
}

/** What guests of the device may have cached. */
function shownBy(state: DeviceState): Parameters<typeof whatFits>[3] {
  switch (state.kind) {
    case 'unknown': return null;
    case 'attached': return state.before;
    case 'detached': return state.shown;
  }
}
