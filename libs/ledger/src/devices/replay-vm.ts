import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Digest } from '@cadastre/device-layout';
import { type EventStore, type Position } from '@cadastre/event-store';
import { type DeviceId, type DeviceKey, deviceStream, ReplayMismatch, type VmId } from '@cadastre/lifecycle';
import { Views } from '@cadastre/views';
import { DamagedHistory } from '../damaged-history.js';
import { EVENT_STORE } from '../event-store.token.js';
import { answered } from '../lists/list-outcome.js';
import { type Refusal } from '../outcome.js';
import { rebuild } from '../replay.js';
import { asOf, StreamReader } from '../stream-reader.js';
import { type KnownDevice } from './get-device.js';
import { unknownVm } from './devices-ever.js';

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
  constructor(@Inject(EVENT_STORE) private readonly store: EventStore, private readonly views: Views) {}

  async execute({ vm, after, limit, at }: ReplayVm): Promise<VmReplayOutcome> {
    const unknown = await unknownVm(this.views, vm, at);
    if (unknown) return unknown;
    const behind = after === '' ? '' : deviceStream({ vm, device: after as DeviceId });
    const filter = at === null ? { vm } : { vm, at };
    const listed = await answered(this.views.devices(filter, behind, limit), ({ key }) => deviceStream(key));
    if (listed.kind === 'refused') return listed;
    // A reader of its own, which has kept nothing: every state is folded from the log.
    const reader = new StreamReader(this.store);
    const devices: DeviceReplay[] = [];
    for (const { key } of listed.rows) {
      const { state } = await reader.device(key, asOf(at));
      if (state.kind !== 'unknown') devices.push(await replayDevice(state, reader));
    }
    return { kind: 'found', devices, more: listed.next !== null };
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
