import { Logger } from '@nestjs/common';
import { type Digest, Evidence } from '@cadastre/device-layout';
import { type EventStore, Position, type RecordedEvent } from '@cadastre/event-store';
import { decodeEvent, type Observation } from '@cadastre/lifecycle';
import { isViewFailure, type KeptEvidence, type ModelTold, ObservedModel, surveyOf } from '@cadastre/views';
import { LogFollower } from '../log-follower.js';
import { StreamReader } from '../stream-reader.js';

/** Where evidence is kept beside the log. */
export interface EvidenceRows {
  evidenceBehind(position: Position | 'start'): KeptEvidence | undefined;
}

/**
 * What all observations of one model told about its bytes: units, hosts, firmware versions (R5). A fold of the log that
 * is never behind it when it is asked. It begins at the rows the views keep, so that after a start only what came since
 * is read; the decision that used it names the observations that told something.
 */
export class ModelEvidence {
  private models = new Map<ObservedModel, Evidence>();
  /** Bytes that were looked at before. Only what is told again is saved by it, so it may be short. */
  private readonly looks = new Map<ObservedModel, Set<Digest>>();
  private readonly follower: LogFollower;
  private readonly reader: StreamReader;

  /**
   * @param rows none is kept when it is null: then the whole log is read once
   * @param say told in one sentence when they fail
   */
  constructor(
    private readonly store: EventStore, private rows: EvidenceRows | null = null,
    private readonly say = (line: string): void => new Logger(ModelEvidence.name).warn(line),
  ) {
    this.reader = new StreamReader(store);
    this.follower = new LogFollower(store, (recorded) => this.take(recorded), (after) => this.ahead(after));
  }

  /** Evidence on the model of a function as it was observed; null when nobody else of its model told anything. */
  async of(observation: ModelTold & Pick<Observation, 'configSpaceDigest'>): Promise<Evidence | null> {
    await this.follower.follow();
    const evidence = this.models.get(ObservedModel.of(observation));
    const others = evidence?.named.filter((one) => one.configSpaceDigest !== observation.configSpaceDigest) ?? [];
    return evidence && others.length > 0 ? evidence : null;
  }

  /** Takes the rows in place of what is in memory, where they are further. Without them the log is read: as right. */
  private async ahead(after: Position | 'start'): Promise<Position | undefined> {
    const kept = this.keptBehind(after);
    if (!kept) return undefined;
    const { position, id, sha256 } = kept.upTo;
    const before = position === 0 ? 'start' : Position.from(position - 1);
    const [recorded] = (await this.store.readAll({ after: before, limit: 1 })).events;
    if (recorded?.id !== id || recorded.sha256 !== sha256) return undefined;
    this.models = new Map(kept.models);
    return recorded.position;
  }

  private keptBehind(position: Position | 'start'): KeptEvidence | undefined {
    try {
      return this.rows?.evidenceBehind(position);
    } catch (error) {
      if (!isViewFailure(error)) throw error;
      this.say(`evidence on models is read from the log from now on, since its rows fail: ${error.message}`);
      this.rows = null;
      return undefined;
    }
  }

  private take({ stream, revision, type, data }: RecordedEvent): Promise<void> | undefined {
    if (type !== 'FunctionObserved' && type !== 'HostFactsObserved') return undefined;
    const { event } = decodeEvent(data);
    const source = `${stream}@${revision}`;
    if (event.type === 'FunctionObserved') this.look(event, source);
    if (event.type !== 'HostFactsObserved') return undefined;
    const { configSpaceDigest, sriov: { role } } = event;
    for (const [model, looks] of this.looks) {
      if (ObservedModel.isInRole(model, role) && looks.has(configSpaceDigest)) return this.lookAgain(model);
    }
    return this.reader.observation({ stream, revision, configSpaceDigest })
      .then((observation) => this.look(observation, source));
  }

  private look(observation: Observation, source: string): void {
    const model = ObservedModel.of(observation);
    const looks = this.looks.get(model) ?? new Set();
    if (looks.has(observation.configSpaceDigest)) this.lookAgain(model);
    else this.models.set(model, this.known(model).with({ source, survey: surveyOf(observation) }));
    if (looks.size < looksMax) this.looks.set(model, looks.add(observation.configSpaceDigest));
  }

  /** The same bytes tell nothing new, and are one look more. */
  private lookAgain(model: ObservedModel): undefined {
    this.models.set(model, this.known(model).andSoMany(1));
  }

  private known(model: ObservedModel): Evidence {
    return this.models.get(model) ?? Evidence.none;
  }
}

/** Of one model; 100 KiB of digests. */
const looksMax = 1_024;
