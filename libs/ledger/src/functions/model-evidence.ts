import { survey } from '@cadastre/config-space';
import { type Digest, Evidence } from '@cadastre/device-layout';
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
  private readonly models = new Map<string, Model>();
  private readonly follower: LogFollower;

  constructor(store: EventStore) {
    this.follower = new LogFollower(store, (recorded) => this.take(recorded));
  }

  /** Evidence on the model of a function as it was observed; null when nobody else of its model told anything. */
  async of(observation: ModelObserved): Promise<Evidence | null> {
    await this.follower.follow();
    const evidence = this.models.get(modelOf(observation))?.evidence;
    const others = evidence?.named.filter((one) => one.configSpaceDigest !== observation.configSpaceDigest) ?? [];
    return evidence && others.length > 0 ? evidence : null;
  }

  private take({ stream, revision, type, data }: RecordedEvent): void {
    if (type !== 'FunctionObserved') return;
    const { event } = decodeEvent(data);
    if (event.type !== 'FunctionObserved') return;
    const name = modelOf(event);
    const { evidence, looks } = this.models.get(name) ?? { evidence: Evidence.none, looks: new Set() };
    const digest = event.configSpaceDigest;
    if (looks.has(digest)) {
      this.models.set(name, { evidence: evidence.andSoMany(1), looks });
      return;
    }
    if (looks.size < looksMax) looks.add(digest);
    const surveyed = survey(Observation.configSpace(event), event.sriov.role);
    const capture = { source: `${stream}@${revision}`, survey: surveyed };
    this.models.set(name, { evidence: evidence.with(capture), looks });
  }
}

/** What tells which model was observed, and whether it was this one. */
type ModelObserved = Pick<Observation, 'configSpace' | 'configSpaceDigest'>
  & { readonly sriov: Pick<Observation['sriov'], 'role'> };

/** What is known of one model. */
interface Model {
  readonly evidence: Evidence;
  /** Bytes that were looked at before. Only what is told again is saved by it, so it may be short. */
  readonly looks: Set<Digest>;
}

/** Of one model; 100 KiB of digests. */
const looksMax = 1_024;

/** Vendor and device; of a VF, which has neither, those of the subsystem. Another role has other registers. */
function modelOf(observation: ModelObserved): string {
  // The first 48 bytes in base64: the IDs are all that is wanted of a space that may be looked at very often.
  const header = Buffer.from(observation.configSpace.slice(0, 64), 'base64');
  const isVf = header.readUInt16LE(0) === noId;
  const [vendor, device] = isVf ? [header.readUInt16LE(0x2c), header.readUInt16LE(0x2e)]
    : [header.readUInt16LE(0), header.readUInt16LE(2)];
  return `${vendor}:${device}:${observation.sriov.role}`;
}
