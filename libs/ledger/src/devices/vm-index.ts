import { type EventStore, type Position, type RecordedEvent } from '@cadastre/event-store';
import { decodeEvent, type DeviceKey, deviceStream, type VmId } from '@cadastre/lifecycle';
import { LogFollower } from '../log-follower.js';

interface IndexedDevice {
  readonly key: DeviceKey;
  /** The position of its first event. */
  readonly since: Position;
}

/** Which devices each VM ever had: a view, rebuilt from the log at every start and never the truth. */
export class VmIndex {
  private readonly vms = new Map<VmId, Map<string, IndexedDevice>>();
  private readonly follower: LogFollower;

  constructor(store: EventStore) {
    this.follower = new LogFollower(store, (recorded) => this.take(recorded));
  }

  /** The devices a VM ever had, in order of their names. */
  async devicesOf(vm: VmId): Promise<readonly IndexedDevice[]> {
    await this.follower.follow();
    const devices = [...this.vms.get(vm)?.values() ?? []];
    return devices.sort((a, b) => (a.key.device < b.key.device ? -1 : 1));
  }

  private take({ type, revision, position, data }: RecordedEvent): void {
    // The first event of a device names it; what follows need not be read.
    if (revision !== 0 || (type !== 'DeviceAttached' && type !== 'LayoutImported')) return;
    const { event } = decodeEvent(data);
    if (event.type !== 'DeviceAttached' && event.type !== 'LayoutImported') return;
    const key = { vm: event.vm, device: event.device };
    const devices = this.vms.get(key.vm) ?? new Map<string, IndexedDevice>();
    this.vms.set(key.vm, devices.set(deviceStream(key), { key, since: position }));
  }
}
