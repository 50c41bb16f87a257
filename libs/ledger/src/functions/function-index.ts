import { readHeader } from '@cadastre/config-space';
import { type EventStore, type Position } from '@cadastre/event-store';
import { withoutBytes } from '../without-bytes.js';
import {
  decodeEvent, type DeviceKey, type FunctionKey, functionDecider, type FunctionState, functionStream, isFunctionEvent,
  Observation,
} from '@cadastre/lifecycle';

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
  private rows = new Map<string, FunctionRow>();
  private after: Position | 'start' = 'start';
  private following: Promise<unknown> = Promise.resolve();

  constructor(private readonly store: EventStore) {}

  /** Rows in order of their stream key, behind `after`. `more` tells whether others follow. */
  async page(after: string, limit: number): Promise<{ readonly rows: readonly FunctionRow[]; readonly more: boolean }> {
    await this.follow();
    const behind = [...this.rows.keys()].sort().filter((name) => name > after);
    const rows = behind.slice(0, limit).flatMap((name) => this.rows.get(name) ?? []);
    return { rows, more: behind.length > limit };
  }

  /** The registered VFs of a PF, in order of their addresses. */
  async virtualFunctions({ host, address }: FunctionKey): Promise<readonly FunctionRow[]> {
    await this.follow();
    return [...this.rows.values()].filter(({ key, pf }) => key.host === host && pf === address)
      .sort((one, other) => (one.key.address < other.key.address ? -1 : 1));
  }

  /**
   * One reader at a time, since two would fold the same events twice; and each reads for itself, since one that was
   * under way may have passed the head before the caller's own write.
   */
  private follow(): Promise<void> {
    const turn = this.following.then(() => this.readOn());
    // Whoever asked hears of a failure; the next in line tries again.
    this.following = turn.catch(() => undefined);
    return turn;
  }

  private async readOn(): Promise<void> {
    for (;;) {
      const { events, head } = await this.store.readAll({ after: this.after });
      for (const recorded of events) {
        const { event } = decodeEvent(recorded.data);
        if (isFunctionEvent(event)) {
          const state = functionDecider.evolve(this.states.get(recorded.stream) ?? functionDecider.initial, event);
          this.states.set(recorded.stream, withoutBytes(state));
          this.addRow(state);
        }
        this.after = recorded.position;
      }
      if (head === 'empty' || this.after === head) return;
    }
  }

  private addRow(state: FunctionState): void {
    if (state.kind === 'unregistered' || !state.observation) return;
    const { key, revision, claim, retired, observation: { facts } } = state;
    const before = this.rows.get(functionStream(key));
    const now = { revision, claim, isRetired: retired !== null };
    if (facts.configSpace === '' && before) {
      this.rows.set(functionStream(key), { ...before, ...now });
      return;
    }
    const { vendorId, deviceId, classCode } = readHeader(Observation.configSpace(facts));
    const { role, pf } = facts.sriov;
    this.rows.set(functionStream(key), { key, vendorId, deviceId, classCode, role, pf, ...now });
  }
}
