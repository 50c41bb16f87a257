import { readHeader, survey } from '@cadastre/config-space';
import { Evidence } from '@cadastre/device-layout';
import { type EventStore, type RecordedEvent } from '@cadastre/event-store';
import { decodeEvent, Observation } from '@cadastre/lifecycle';
import { LogFollower } from '../log-follower.js';

/** A VF reads so where its vendor and device ID are. PCIe Base Specification, "VF Configuration Space". */
const noId = 0xffff;

/**
 * What all observations of one model told about its bytes: units, hosts, firmware versions (R5). A view that follows
 * the log when it is asked; the decision that used it names the observations that told something.
 */
export class ModelEvidence {
  private readonly models = new Map<string, Evidence>();
  private readonly follower: LogFollower;

  constructor(store: EventStore) {
    this.follower = new LogFollower(store, (recorded) => this.take(recorded));
  }

  /** Evidence on the model of a function as it was observed; null when nobody else of its model told anything. */
  async of(observation: Observation): Promise<Evidence | null> {
    await this.follower.follow();
    const evidence = this.models.get(modelOf(observation));
    const others = evidence?.named.filter((one) => one.configSpaceDigest !== observation.configSpaceDigest) ?? [];
    return evidence && others.length > 0 ? evidence : null;
  }

  private take({ stream, revision, type, data }: RecordedEvent): void {
    if (type !== 'FunctionObserved') return;
    const { event } = decodeEvent(data);
    if (event.type !== 'FunctionObserved') return;
    const model = modelOf(event);
    const surveyed = survey(Observation.configSpace(event), event.sriov.role);
    const capture = { source: `${stream}@${revision}`, survey: surveyed };
    this.models.set(model, (this.models.get(model) ?? Evidence.none).with(capture));
  }
}

/** Vendor and device; of a VF, which has neither, those of the subsystem. Another role has other registers. */
function modelOf(observation: Observation): string {
  const space = Observation.configSpace(observation);
  const { vendorId, deviceId } = readHeader(space);
  const [vendor, device] = vendorId === noId ? [space.u16(0x2c), space.u16(0x2e)] : [vendorId, deviceId];
  return `${vendor}:${device}:${observation.sriov.role}`;
}
