import { type DatabaseSync, type StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Evidence } from '@cadastre/device-layout';
import { type EventStore, Position } from '@cadastre/event-store';
import { type FunctionKey } from '@cadastre/lifecycle';
import { capturesOf } from './captures.js';
import { type DeviceRow } from './device-row.js';
import { followPage, type Halt } from './follow-page.js';
import { type FunctionRow } from './function-row.js';
import {
  type ClashFilter, clashQuery, type DeviceFilter, deviceKindQuery, deviceQuery, firstDeviceQuery, type FunctionFilter,
  functionKindQuery, functionQuery, type Kinds, type ListQuery, memberQuery, type MigrationFilter, migrationQuery,
  vmQuery,
} from './list-query.js';
import { type MigrationRow } from './migration-row.js';
import { type ObservedModel } from './observed-model.js';
import { viewNames, type ViewName } from './projection.js';
import { SavedStates } from './saved-states.js';
import { inMemory, openViewFile, removeViewFile, ViewsUnusable } from './view-file.js';
import { clashOf, deviceOf, functionOf, type ListedClash, migrationOf } from './view-rows.js';
import { type Checkpoint, type ViewState, ViewTables } from './view-tables.js';

/** A VM that has or had devices. */
export interface VmRow {
  readonly vm: string;
  readonly devices: number;
  /** How many of them are attached. */
  readonly attached: number;
}

/** Rows of one page, and whether others follow; or why the view cannot answer. */
export type Listed<Row> =
  | { readonly kind: 'listed'; readonly rows: readonly Row[]; readonly more: boolean }
  | { readonly kind: 'halted'; readonly halt: Halt };

/** Evidence on every model, as the observations up to an event told it. */
export interface KeptEvidence {
  /** The event behind which it stands. */
  readonly upTo: Checkpoint;
  readonly models: ReadonlyMap<ObservedModel, Evidence>;
}

/** Told how many events the views hold, and how many there are. */
export type Progress = (done: number, total: number) => void;

/** Events in one transaction: some 15 ms of work, for which whoever else wants the thread has to wait. */
export const eventsPerTransaction = 250;

/** Statements kept prepared: more than there are combinations of conditions, and of kinds that are merged. */
const statementsMax = 256;

/**
 * Lists of what a ledger holds: projections of its log, kept in a file beside it and never the truth. They follow the
 * log when they are asked, so a list has whatever was recorded before the question.
 */
export class Views {
  /** States of streams, kept in the same file: they go where it goes. */
  readonly states: SavedStates;
  private readonly tables: ViewTables;
  private readonly statements = new Map<string, StatementSync>();
  private halts: readonly Halt[] = [];
  private following: Promise<unknown> = Promise.resolve();
  private closed = false;

  private constructor(private readonly log: EventStore, private readonly db: DatabaseSync) {
    this.tables = new ViewTables(db);
    this.states = new SavedStates(db);
  }

  /**
   * Opens the views of a log in a file, or in memory for `:memory:`. Views of another version, of another log or of a
   * later state of this one, and views that are not all equally far, are thrown away and built anew by following.
   * @param say told in one sentence when that happens
   */
  static async open(log: EventStore, location: string, say: (line: string) => void): Promise<Views> {
    let views: Views | undefined;
    try {
      views = new Views(log, openViewFile(location));
      await views.assertOfThisLog();
      return views;
    } catch (error) {
      await views?.close();
      if (!(error instanceof ViewsUnusable) || location === inMemory) throw error;
      say(`the views in ${location} are built anew: ${error.message}`);
      return Views.anew(log, location);
    }
  }

  /** Views that begin where the log begins, whatever was in the file. */
  static anew(log: EventStore, location: string): Views {
    removeViewFile(location);
    return new Views(log, openViewFile(location));
  }

  functions(filter: FunctionFilter, after: string, limit: number): Promise<Listed<FunctionRow>> {
    return this.list('functions', functionKindQuery(filter),
      (kinds) => functionQuery(filter, kinds, after, limit + 1), functionOf);
  }

  devices(filter: DeviceFilter, after: string, limit: number): Promise<Listed<DeviceRow>> {
    return this.list('devices', deviceKindQuery(filter),
      (kinds) => deviceQuery(filter, kinds, after, limit + 1), deviceOf);
  }

  /** @param at VMs that had devices by this position; how many of those are attached is of the present all the same */
  vms(after: string, limit: number, at?: number): Promise<Listed<VmRow>> {
    return this.list('devices', undefined, () => vmQuery(after, limit + 1, at), (row: VmRow) => row);
  }

  /** The device that a VM had first; none when it never had one. */
  firstDevice(vm: string): Promise<Listed<DeviceRow>> {
    return this.list('devices', undefined, () => firstDeviceQuery(vm), deviceOf);
  }

  /** Oldest first, behind the one that began at the position `after`. */
  migrations(filter: MigrationFilter, after: number, limit: number): Promise<Listed<MigrationRow>> {
    return this.list('migrations', undefined, () => migrationQuery(filter, after, limit + 1), migrationOf);
  }

  /** Functions that ever named this PF theirs, also those that name another one now. */
  membersEver(pf: FunctionKey, limit: number): Promise<Listed<FunctionRow>> {
    return this.list('functions', undefined, () => memberQuery(pf, limit + 1), functionOf);
  }

  clashes(filter: ClashFilter, after: number, limit: number): Promise<Listed<ListedClash>> {
    return this.list('clashes', undefined, () => clashQuery(filter, after, limit + 1), clashOf);
  }

  /**
   * The evidence on models, as far as it was taken in: the log is not followed for it. Undefined when that is no
   * further than `position`. Throws `ViewsUnusable` when a row is not what was written.
   */
  evidenceBehind(position: Position | 'start'): KeptEvidence | undefined {
    const upTo = this.tables.checkpoint('evidence');
    if (!upTo || (position !== 'start' && upTo.position <= position)) return undefined;
    return { upTo, models: this.tables.allEvidence() };
  }

  /** Views that stand still, and why. */
  halted(): readonly Halt[] {
    return this.halts;
  }

  /** Names the rows of all views: equal for equal rows, however they came about. */
  state(): ViewState {
    return this.tables.state();
  }

  /**
   * Takes in what the log has and the views have not. One reader at a time, since two would fold the same events
   * twice; and each reads for itself, since one that was under way may have passed the head before the caller's write.
   * @param upTo the last position wanted; the head of the log when absent
   */
  follow(progress: Progress = () => undefined, upTo = Number.POSITIVE_INFINITY): Promise<void> {
    const turn = this.following.then(() => this.readOn(progress, upTo));
    // Whoever asked hears of a failure; the next in line tries again.
    this.following = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.following;
    this.tables.close();
  }

  private async readOn(progress: Progress, upTo: number): Promise<void> {
    for (;;) {
      const live = viewNames.find((name) => !this.haltOf(name));
      if (live === undefined || this.closed) return;
      const at = this.tables.checkpoint(live)?.position;
      const limit = Math.min(eventsPerTransaction, upTo - (at ?? -1));
      if (limit <= 0) return;
      const { events, head } = await this.log.readAll({ after: at ?? 'start', limit });
      const last = events.at(-1);
      if (!last || head === 'empty') return;
      this.halts = followPage(this.tables, events, await capturesOf(this.log, events), this.halts);
      progress(last.position + 1, Math.min(head, upTo) + 1);
      if (last.position === head) return;
      // A store in this process answers at once: without a turn of the event loop nobody else would get the thread.
      await nextTurn();
    }
  }

  private async list<Stored, Row>(
    view: ViewName, wanted: ListQuery | undefined, query: (kinds: Kinds) => ListQuery, rowOf: (stored: Stored) => Row,
  ): Promise<Listed<Row>> {
    await this.follow();
    const halt = this.haltOf(view);
    if (halt) return { kind: 'halted', halt };
    const kinds = wanted && this.all<{ readonly id: number }>(wanted).map(({ id }) => id);
    const { text, parameters } = query(kinds);
    // No row is of no kind.
    const stored = kinds?.length === 0 ? [] : this.all<Stored>({ text, parameters });
    // One more than the page holds was asked for.
    const more = stored.length === parameters.limit;
    return { kind: 'listed', rows: (more ? stored.slice(0, -1) : stored).map(rowOf), more };
  }

  private all<Stored>({ text, parameters }: ListQuery): readonly Stored[] {
    return this.prepared(text).all(parameters) as unknown as readonly Stored[];
  }

  private prepared(text: string): StatementSync {
    const known = this.statements.get(text);
    if (known) return known;
    if (this.statements.size >= statementsMax) this.statements.clear();
    const statement = this.db.prepare(text);
    this.statements.set(text, statement);
    return statement;
  }

  private haltOf(view: ViewName): Halt | undefined {
    return this.halts.find((one) => one.view === view);
  }

  /** The last event the views took in stands in this log; its hash tells this log from every other, and every past. */
  private async assertOfThisLog(): Promise<void> {
    const [first, ...others] = viewNames.map((name) => this.tables.checkpoint(name));
    if (others.some((one) => one?.position !== first?.position)) {
      throw new ViewsUnusable('one of them had halted before the others');
    }
    if (!first) return;
    const after = first.position === 0 ? 'start' : Position.from(first.position - 1);
    const [recorded] = (await this.log.readAll({ after, limit: 1 })).events;
    if (recorded?.id === first.id && recorded.sha256 === first.sha256) return;
    throw new ViewsUnusable(`they stand at event ${first.position} of another ledger, or of a later state of this one`);
  }
}
