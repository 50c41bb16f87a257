import { createHash } from 'node:crypto';
import { canonicalJson, Digest, layoutDigest as computeLayoutDigest } from '@cadastre/device-layout';
import { type EventStore, type LogPage, pageSizeMax, Position, type RecordedEvent } from '@cadastre/event-store';
import {
  decodeEvent, decodeForFold, deviceDecider, type DeviceState, deviceStream, functionDecider, type FunctionState,
  functionStream, type HostFactsObserved, isDeviceEvent, isFunctionEvent, rebuildGuestConfigSpace, sharedCapabilities,
  sharedUses,
} from '@cadastre/lifecycle';
import { DamagedHistory } from './damaged-history.js';
import { type KnownDevice } from './devices/get-device.js';
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

/** One stream as far as it is folded. What is no event of its kind leaves a state as it begins. */
interface FoldedStream {
  revision: number;
  device: DeviceState;
  function: FunctionState;
}

export interface ReplayOptions {
  /** The last position that counts; the head when it is left out. */
  readonly upTo?: Position;
  /** Told how many events are folded, and how many will be. */
  readonly progress?: (done: number, total: number) => void;
}

/**
 * Folds every stream of a ledger from its events alone: no planner, no clock. Every guest config space is rebuilt
 * and compared with its record; a difference throws `ReplayMismatch`, a changed event `CorruptEvent`.
 */
export async function replay(store: EventStore, { upTo, progress }: ReplayOptions = {}): Promise<Replayed> {
  const streams = new Map<string, FoldedStream>();
  const hashes = createHash('sha256');
  let after: Position | 'start' = 'start';
  let events = 0;
  for (;;) {
    const limit = Math.min(pageSizeMax, (upTo ?? Infinity) - (after === 'start' ? -1 : after));
    const page: LogPage = await store.readAll({ after, limit });
    let lines = '';
    for (const recorded of page.events) {
      const { position, stream, revision, id, type, sha256 } = recorded;
      lines += `${position} ${stream} ${revision} ${id} ${type} ${sha256}\n`;
      foldInto(streams, recorded);
    }
    hashes.update(lines);
    after = page.events.at(-1)?.position ?? after;
    events += page.events.length;
    progress?.(events, page.head === 'empty' ? 0 : (upTo ?? page.head) + 1);
    if (page.head === 'empty' || after === page.head || after === upTo) break;
  }
  if (upTo === undefined || !await isWithinCommand(store, upTo)) {
    assertOwners(streams);
    assertUsers(streams);
  }
  const ledgerDigest = `sha256:${hashes.digest('hex')}` as Digest;
  const functions = [...streams.values()].filter((one) => one.function.kind === 'registered').length;
  return { events, functions, devices: await rebuildAll(streams, new StreamReader(store)), ledgerDigest };
}

function foldInto(streams: Map<string, FoldedStream>, { stream, revision, type, data }: RecordedEvent): void {
  let folded = streams.get(stream);
  if (!folded) {
    folded = { revision: -1, device: deviceDecider.initial, function: functionDecider.initial };
    streams.set(stream, folded);
  }
  const due = folded.revision + 1;
  if (revision !== due) throw new DamagedHistory(stream, `revision ${due} is missing: ${revision} follows instead`);
  folded.revision = revision;
  const event = decodeForFold(type, data);
  if (isDeviceEvent(event)) folded.device = deviceDecider.evolve(folded.device, event);
  else if (isFunctionEvent(event)) {
    if (event.type === 'HostFactsObserved') assertOverNewestBytes(stream, revision, event, folded.function);
    folded.function = withoutBytes(functionDecider.evolve(folded.function, event));
  }
}

/** Host facts refer to the bytes that were the newest when they were told. */
function assertOverNewestBytes(
  stream: string, revision: number, { configSpaceRevision, configSpaceDigest }: HostFactsObserved, state: FunctionState,
): void {
  const newest = state.kind === 'registered' ? state.observation : null;
  const isSame = newest?.configSpaceRevision === configSpaceRevision
    && newest.facts.configSpaceDigest === configSpaceDigest;
  if (isSame) return;
  const is = newest ? `${newest.facts.configSpaceDigest} of revision ${newest.configSpaceRevision}` : 'nowhere';
  throw new DamagedHistory(stream, `revision ${revision} was told over bytes ${configSpaceDigest} of revision `
    + `${configSpaceRevision}: the newest are ${is}`);
}

/** Whether the event behind a position is of the same command: then what both say together is only half told. */
async function isWithinCommand(store: EventStore, position: Position): Promise<boolean> {
  const after = position === 0 ? 'start' : Position.from(position - 1);
  const keys = (await store.readAll({ after, limit: 2 })).events.map(({ data }) =>
    decodeEvent(data).envelope.idempotencyKey);
  return keys.length === 2 && keys[0] === keys[1];
}

/** Every attached device owns its function, and no two own the same. */
function assertOwners(streams: ReadonlyMap<string, FoldedStream>): void {
  for (const [stream, { device }] of streams) {
    if (device.kind !== 'attached') continue;
    const owned = streams.get(functionStream(device.function))?.function;
    const claim = owned?.kind === 'registered' ? owned.claim : null;
    if (claim?.migration === null && deviceStream(claim) === stream) continue;
    const holder = claim ? deviceStream(claim) : 'nobody';
    throw new DamagedHistory(stream, `it is attached to ${functionStream(device.function)}, which ${holder} holds`);
  }
}

/** What devices use of a physical function and what its own stream counts is the same, to the letter. */
function assertUsers(streams: ReadonlyMap<string, FoldedStream>): void {
  const used = [...streams].flatMap(([stream, { device }]) => (device.kind !== 'attached' ? []
    : sharedUses(device.pasids).map(([capability, key]) => `${functionStream(key)} ${capability} ${stream}`)));
  const counted = [...streams].flatMap(([stream, { function: state }]) => (state.kind === 'unregistered' ? []
    : sharedCapabilities.flatMap((capability) =>
      state.users[capability].map((user) => `${stream} ${capability} ${deviceStream(user)}`))));
  const known = new Set(counted);
  const odd = used.find((one) => !known.delete(one)) ?? [...known][0];
  if (odd === undefined) return;
  const [stream = '', capability = '', user = ''] = odd.split(' ');
  throw new DamagedHistory(stream, `its users of ${capability} and the devices disagree about ${user}`);
}

async function rebuildAll(
  streams: ReadonlyMap<string, FoldedStream>, reader: StreamReader,
): Promise<readonly ReplayedDevice[]> {
  const replayed: ReplayedDevice[] = [];
  // In the order they began, which is about that of their states in memory: by name, every other one is a cache miss.
  for (const [stream, { device }] of streams) {
    if (device.kind !== 'unknown') replayed.push(await rebuild(stream, device, reader));
  }
  return replayed.sort((a, b) => (a.stream < b.stream ? -1 : 1));
}

/** Rebuilds what a device shows. Throws `ReplayMismatch` or `DamagedHistory` when that is not what was recorded. */
export async function rebuild(
  stream: string, state: KnownDevice, reader: StreamReader,
): Promise<ReplayedDevice> {
  const { revision } = state;
  const stateDigest = Digest.of(canonicalJson(state));
  if (state.kind !== 'attached' || !state.layout) {
    return { stream, state: state.kind, revision, stateDigest, guestConfigSpaceDigest: null, layoutDigest: null };
  }
  const { observation, layoutDigest } = state.layout;
  const told = computeLayoutDigest(state.layout);
  if (told !== layoutDigest) throw new DamagedHistory(stream, `its layout is ${told}, recorded is ${layoutDigest}`);
  const guest = rebuildGuestConfigSpace(state.layout, await reader.observation(observation));
  return {
    stream, state: state.kind, revision, stateDigest, layoutDigest, guestConfigSpaceDigest: Digest.ofSpace(guest),
  };
}
