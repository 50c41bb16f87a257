import { createHash } from 'node:crypto';
import { canonicalJson, Digest, layoutDigest as computeLayoutDigest } from '@cadastre/device-layout';
import { type EventStore, type Position } from '@cadastre/event-store';
import {
  decodeEvent, deviceDecider, type DeviceState, deviceStream, functionDecider, type FunctionState, functionStream,
  isDeviceEvent, isFunctionEvent, rebuildGuestConfigSpace, sharedCapabilities, sharedUses,
} from '@cadastre/lifecycle';
import { DamagedHistory } from './damaged-history.js';
import { StreamReader } from './stream-reader.js';
import { withoutBytes } from './without-bytes.js';

/** What replay made of one device. */
export interface ReplayedDevice {
  /** Digest of the folded state, whatever it is: equal for equal histories of this device. */
  readonly stateDigest: Digest;
  readonly stream: string;
  readonly state: DeviceState['kind'];
  readonly revision: number;
  /** Digest of the guest's config space, rebuilt and equal to the recorded one; null when nothing is attached. */
  readonly guestConfigSpaceDigest: Digest | null;
  readonly layoutDigest: Digest | null;
}

export interface Replayed {
  readonly events: number;
  readonly functions: number;
  readonly devices: readonly ReplayedDevice[];
  /** SHA-256 over place, identity and hash of all events in their order: equal for equal histories everywhere. */
  readonly ledgerDigest: Digest;
}

/**
 * Folds every stream of a ledger from its events alone: no planner, no clock. Every guest config space is rebuilt
 * and compared with its record; a difference throws `ReplayMismatch`, a changed event `CorruptEvent`.
 * @param progress told how many events are folded, and how many there are
 */
export async function replay(
  store: EventStore, progress: (done: number, total: number) => void = () => undefined,
): Promise<Replayed> {
  const revisions = new Map<string, number>();
  const functions = new Map<string, FunctionState>();
  const devices = new Map<string, DeviceState>();
  const hashes = createHash('sha256');
  let after: Position | 'start' = 'start';
  let events = 0;
  for (;;) {
    const page = await store.readAll({ after });
    for (const recorded of page.events) {
      const { position, stream, revision, id, type, sha256 } = recorded;
      hashes.update(`${position} ${stream} ${revision} ${id} ${type} ${sha256}\n`);
      const due = (revisions.get(recorded.stream) ?? -1) + 1;
      if (recorded.revision !== due) {
        throw new DamagedHistory(recorded.stream, `revision ${due} is missing: ${recorded.revision} follows instead`);
      }
      revisions.set(recorded.stream, due);
      const { event } = decodeEvent(recorded.data);
      if (isDeviceEvent(event)) {
        const before = devices.get(recorded.stream) ?? deviceDecider.initial;
        devices.set(recorded.stream, deviceDecider.evolve(before, event));
      } else if (isFunctionEvent(event)) {
        const before = functions.get(recorded.stream) ?? functionDecider.initial;
        functions.set(recorded.stream, withoutBytes(functionDecider.evolve(before, event)));
      }
      after = recorded.position;
      events += 1;
    }
    progress(events, page.head === 'empty' ? 0 : page.head + 1);
    if (page.head === 'empty' || after === page.head) break;
  }
  assertOwners(devices, functions);
  assertUsers(devices, functions);
  const reader = new StreamReader(store);
  const replayed: ReplayedDevice[] = [];
  for (const [stream, state] of [...devices].sort(([a], [b]) => (a < b ? -1 : 1))) {
    replayed.push(await rebuild(stream, state, reader));
  }
  const ledgerDigest = `sha256:${hashes.digest('hex')}` as Digest;
  return { events, functions: functions.size, devices: replayed, ledgerDigest };
}

/** Every attached device owns its function, and no two own the same. */
function assertOwners(
  devices: ReadonlyMap<string, DeviceState>, functions: ReadonlyMap<string, FunctionState>,
): void {
  for (const [stream, device] of devices) {
    if (device.kind !== 'attached') continue;
    const owned = functions.get(functionStream(device.function));
    const claim = owned?.kind === 'registered' ? owned.claim : null;
    if (claim && deviceStream(claim) === stream) continue;
    const holder = claim ? deviceStream(claim) : 'nobody';
    throw new DamagedHistory(stream, `it is attached to ${functionStream(device.function)}, which ${holder} holds`);
  }
}

/** What devices use of a physical function and what its own stream counts is the same, to the letter. */
function assertUsers(
  devices: ReadonlyMap<string, DeviceState>, functions: ReadonlyMap<string, FunctionState>,
): void {
  const used = [...devices].flatMap(([stream, device]) => (device.kind !== 'attached' ? []
    : sharedUses(device.pasids).map(([capability, key]) => `${functionStream(key)} ${capability} ${stream}`)));
  const counted = [...functions].flatMap(([stream, state]) => (state.kind === 'unregistered' ? []
    : sharedCapabilities.flatMap((capability) =>
      state.users[capability].map((user) => `${stream} ${capability} ${deviceStream(user)}`))));
  const known = new Set(counted);
  const odd = used.find((one) => !known.delete(one)) ?? [...known][0];
  if (odd === undefined) return;
  const [stream = '', capability = '', user = ''] = odd.split(' ');
  throw new DamagedHistory(stream, `its users of ${capability} and the devices disagree about ${user}`);
}

async function rebuild(stream: string, state: DeviceState, reader: StreamReader): Promise<ReplayedDevice> {
  const revision = state.kind === 'unknown' ? -1 : state.revision;
  const stateDigest = Digest.of(canonicalJson(state));
  if (state.kind !== 'attached' || !state.layout) {
    return { stream, state: state.kind, revision, stateDigest, guestConfigSpaceDigest: null, layoutDigest: null };
  }
  const { observation, layoutDigest } = state.layout;
  const told = computeLayoutDigest(state.layout);
  if (told !== layoutDigest) throw new DamagedHistory(stream, `its layout is ${told}, recorded is ${layoutDigest}`);
  const guest = rebuildGuestConfigSpace(state.layout, await reader.observation(observation));
  return {
    stream, state: state.kind, revision, stateDigest, layoutDigest, guestConfigSpaceDigest: Digest.of(guest.toBytes()),
  };
}
