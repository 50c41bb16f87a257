import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Digest } from '@cadastre/device-layout';
import { type EventStore, type Position } from '@cadastre/event-store';
import { type DeviceKey, deviceStream, ReplayMismatch, type VmId } from '@cadastre/lifecycle';
import { DamagedHistory } from '../damaged-history.js';
import { EVENT_STORE } from '../event-store.token.js';
import { type Refusal } from '../outcome.js';
import { rebuild } from '../replay.js';
import { asOf, StreamReader } from '../stream-reader.js';
import { type KnownDevice } from './get-device.js';
import { VmIndex } from './vm-index.js';

export interface LayoutDigests {
  readonly layoutDigest: Digest | null;
  readonly guestConfigSpaceDigest: Digest | null;
}

/** What replay made of one device of a VM, beside what was recorded. Digests are null while nothing is attached. */
export interface DeviceReplay {
  readonly key: DeviceKey;
  readonly state: KnownDevice['kind'];
  readonly revision: number;
  readonly recorded: LayoutDigests;
  /** Null when the record gives no layout: `problem` says why. */
  readonly rebuilt: LayoutDigests | null;
  readonly problem: string | null;
}

export type VmReplayOutcome =
  | { readonly kind: 'found'; readonly devices: readonly DeviceReplay[]; readonly more: boolean }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Rebuilds the layouts of one VM from events alone: a page of its devices by name, now or as of a position. */
export class ReplayVm extends Query<VmReplayOutcome> {
  constructor(readonly vm: VmId, readonly after: string, readonly limit: number, readonly at: Position | null) {
    super();
  }
}

@QueryHandler(ReplayVm)
export class ReplayVmHandler implements IQueryHandler<ReplayVm> {
  constructor(@Inject(EVENT_STORE) private readonly store: EventStore, private readonly index: VmIndex) {}

  async execute({ vm, after, limit, at }: ReplayVm): Promise<VmReplayOutcome> {
    const ever = await this.index.devicesOf(vm);
    const then = ever.filter(({ since }) => at === null || since <= at);
    const [first] = [...ever].sort((a, b) => a.since - b.since);
    if (!first) return { kind: 'refused', refusal: { kind: 'vm-unknown', vm } };
    if (at !== null && then.length === 0) {
      const { key, since } = first;
      return { kind: 'refused', refusal: { kind: 'not-yet', stream: deviceStream(key), at, since } };
    }
    const behind = then.filter(({ key }) => key.device > after);
    // A reader of its own, which has kept nothing: every state is folded from the log.
    const reader = new StreamReader(this.store);
    const devices: DeviceReplay[] = [];
    for (const { key } of behind.slice(0, limit)) {
      const { state } = await reader.device(key, asOf(at));
      if (state.kind !== 'unknown') devices.push(await replayDevice(state, reader));
    }
    return { kind: 'found', devices, more: behind.length > limit };
  }
}

async function replayDevice(device: KnownDevice, reader: StreamReader): Promise<DeviceReplay> {
  const { key, kind: state, revision } = device;
  const layout = device.kind === 'attached' ? device.layout : null;
  const recorded = {
    layoutDigest: layout?.layoutDigest ?? null, guestConfigSpaceDigest: layout?.guestConfigSpaceDigest ?? null,
  };
  try {
    const { layoutDigest, guestConfigSpaceDigest } = await rebuild(deviceStream(key), device, reader);
    return { key, state, revision, recorded, rebuilt: { layoutDigest, guestConfigSpaceDigest }, problem: null };
  } catch (error) {
    if (!(error instanceof ReplayMismatch || error instanceof DamagedHistory)) throw error;
    return { key, state, revision, recorded, rebuilt: null, problem: error.message };
  }
}
