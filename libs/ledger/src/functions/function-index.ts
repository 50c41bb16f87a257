import { readHeader } from '@cadastre/config-space';
import { type EventStore, type Position, type RecordedEvent } from '@cadastre/event-store';
import {
  decodeEvent, type DeviceKey, type FunctionKey, functionDecider, type FunctionState, isFunctionEvent, Observation,
  type RegisteredFunction,
} from '@cadastre/lifecycle';
import { LogFollower } from '../log-follower.js';
import { withoutBytes } from '../without-bytes.js';

/** One row of the list of functions. */
export interface FunctionRow {
  readonly key: FunctionKey;
  readonly revision: number;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly classCode: number;
  readonly role: Observation['sriov']['role'];
  /** A VF's physical function on the same host, when it is known. */
  readonly pf: Observation['sriov']['pf'];
  readonly claim: DeviceKey | null;
  readonly isRetired: boolean;
}

/**
 * The list of all functions: a view, rebuilt from the log at every start and never the truth. It follows the log when
 * it is asked, so a client that registered a function finds it in the next list.
 */
export class FunctionIndex {
  private readonly states = new Map<string, FunctionState>();
  private readonly rows = new Map<string, FunctionRow>();
  /** The position from which on there is a row. */
  private readonly since = new Map<string, Position>();
  private readonly follower: LogFollower;

  constructor(store: EventStore) {
    this.follower = new LogFollower(store, (recorded) => this.take(recorded));
  }

  /** Rows in order of their stream key, behind `after`. `more` tells whether others follow. */
  page(after: string, limit: number): Promise<{ readonly rows: readonly FunctionRow[]; readonly more: boolean }> {
    return this.select(after, limit, Infinity);
  }

  /** The functions there were at a position, as `page` has them. */
  async keysAt(
    at: Position, after: string, limit: number,
  ): Promise<{ readonly keys: readonly FunctionKey[]; readonly more: boolean }> {
    const { rows, more } = await this.select(after, limit, at);
    return { keys: rows.map(({ key }) => key), more };
  }

  private async select(
    after: string, limit: number, at: number,
  ): Promise<{ readonly rows: readonly FunctionRow[]; readonly more: boolean }> {
    await this.follower.follow();
    const behind = [...this.since].filter(([name, since]) => name > after && since <= at).map(([name]) => name).sort();
    const rows = behind.slice(0, limit).flatMap((name) => this.rows.get(name) ?? []);
    return { rows, more: behind.length > limit };
  }

  /** The registered VFs of a PF, in order of their addresses. */
  async virtualFunctions({ host, address }: FunctionKey): Promise<readonly FunctionRow[]> {
    await this.follower.follow();
    return [...this.rows.values()].filter(({ key, pf }) => key.host === host && pf === address)
      .sort((one, other) => (one.key.address < other.key.address ? -1 : 1));
  }

  private take({ stream, data, position }: RecordedEvent): void {
    const { event } = decodeEvent(data);
    if (!isFunctionEvent(event)) return;
    const state = functionDecider.evolve(this.states.get(stream) ?? functionDecider.initial, event);
    this.states.set(stream, withoutBytes(state));
    if (state.kind === 'unregistered' || !state.observation) return;
    const { revision, claim, retired, observation: { facts } } = state;
    const before = this.rows.get(stream);
    const now = { revision, claim, isRetired: retired !== null };
    if (facts.configSpace === '' && before) this.rows.set(stream, { ...before, ...now });
    else this.rows.set(stream, functionRow(state, facts));
    if (!before) this.since.set(stream, position);
  }
}

/** The row of a function with this newest observation. */
export function functionRow({ key, revision, claim, retired }: RegisteredFunction, facts: Observation): FunctionRow {
  const { vendorId, deviceId, classCode } = readHeader(Observation.configSpace(facts));
  const { role, pf } = facts.sriov;
  return { key, revision, vendorId, deviceId, classCode, role, pf, claim, isRetired: retired !== null };
}
