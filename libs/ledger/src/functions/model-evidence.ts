import { readHeader, survey } from '@cadastre/config-space';
import { Evidence } from '@cadastre/device-layout';
import { type EventStore, type Position } from '@cadastre/event-store';
import { decodeEvent, Observation } from '@cadastre/lifecycle';

/** A VF reads so where its vendor and device ID are. PCIe Base Specification, "VF Configuration Space". */
const noId = 0xffff;

/**
 * What all observations of one model told about its bytes: units, hosts, firmware versions (R5). A view that follows
 * the log when it is asked; the decision that used it names the observations that told something.
 */
export class ModelEvidence {
  private readonly models = new Map<string, Evidence>();
  private after: Position | 'start' = 'start';
  private following: Promise<unknown> = Promise.resolve();

  constructor(private readonly store: EventStore) {}

  /** Evidence on the model of a function as it was observed; null when nobody else of its model told anything. */
  async of(observation: Observation): Promise<Evidence | null> {
    await this.follow();
    const evidence = this.models.get(modelOf(observation));
    const others = evidence?.named.filter((one) => one.configSpaceDigest !== observation.configSpaceDigest) ?? [];
    return evidence && others.length > 0 ? evidence : null;
  }

  /** One reader at a time, and each reads for itself: one under way may have passed the caller's own write. */
  private follow(): Promise<void> {
    const turn = this.following.then(() => this.readOn());
    // Whoever asked hears of a failure; the next in line tries again.
    this.following = turn.catch(() => undefined);
    return turn;
  }

  private async readOn(): Promise<void> {
    for (;;) {
      const { events, head } = await this.store.readAll({ after: this.after });
      for (const { stream, revision, type, data, position } of events) {
        if (type === 'FunctionObserved') this.add(`${stream}@${revision}`, data);
        this.after = position;
      }
      if (head === 'empty' || this.after === head) return;
    }
  }

  private add(source: string, data: Uint8Array): void {
    const { event } = decodeEvent(data);
    if (event.type !== 'FunctionObserved') return;
    const model = modelOf(event);
    const surveyed = survey(Observation.configSpace(event), event.sriov.role);
    this.models.set(model, (this.models.get(model) ?? Evidence.none).with({ source, survey: surveyed }));
  }
}

/** Vendor and device; of a VF, which has neither, those of the subsystem. Another role has other registers. */
function modelOf(observation: Observation): string {
  const space = Observation.configSpace(observation);
  const { vendorId, deviceId } = readHeader(space);
  const [vendor, device] = vendorId === noId ? [space.u16(0x2c), space.u16(0x2e)] : [vendorId, deviceId];
  return `${vendor}:${device}:${observation.sriov.role}`;
}
