import { type EventStore, type RecordedEvent } from '@cadastre/event-store';
import { decodeEvent, type MigrationKey, type VmId } from '@cadastre/lifecycle';
import { LogFollower } from '../log-follower.js';

/** Which migrations each VM ever had: a view, rebuilt from the log at every start and never the truth. */
export class MigrationIndex {
  private readonly vms = new Map<VmId, MigrationKey[]>();
  private readonly follower: LogFollower;

  constructor(store: EventStore) {
    this.follower = new LogFollower(store, (recorded) => this.take(recorded));
  }

  /** Oldest first. */
  async of(vm: VmId): Promise<readonly MigrationKey[]> {
    await this.follower.follow();
    return this.vms.get(vm) ?? [];
  }

  private take({ type, data }: RecordedEvent): void {
    if (type !== 'MigrationPlanned') return;
    const { event } = decodeEvent(data);
    if (event.type !== 'MigrationPlanned') return;
    const known = this.vms.get(event.vm) ?? [];
    known.push({ vm: event.vm, id: event.id });
    this.vms.set(event.vm, known);
  }
}
