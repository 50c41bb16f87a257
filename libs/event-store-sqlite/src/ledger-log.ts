import assert from 'node:assert/strict';
import { type DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  appended, type AppendDecision, type AppendOutcome, CorruptEvent, CorruptLog, dataBytesOf, decideAppend,
  eventBytesMax, type EventId, type ExpectedRevision, type FrozenAppend, LogPage, pageBytesMax, Position,
  type RecordedEvent, type Run, sha256Hex, type StoredFacts, type StreamName, StreamPage, StreamRevision, takeRun,
} from '@cadastre/event-store';
import { DamagedIndex } from './damaged-index.js';
import { envelopeOf, type EnvelopeRow, eventOf, type EventRow, sealOf } from './event-row.js';
import { LedgerUnreadable } from './ledger-file.js';
import { type LedgerStatements, prepareStatements } from './ledger-statements.js';
import { eventsIn, pageAt, pagesFilled, sealedBytesMax, sealedEvents } from './sealed-page.js';
import { StreamNames } from './stream-names.js';

/**
 * The WAL is moved into the file when it has grown by so many pages, 16 MiB. More often, and pages that change with
 * every append are moved time and again; less often, and the one append that has to wait for it waits longer.
 */
export const checkpointAfterFrames = 2_000;

/** The log in one SQLite connection: all that a store does, one thing at a time and before it returns. */
export class LedgerLog {
  readonly #db: DatabaseSync;
  readonly #sql: LedgerStatements;
  readonly #facts: StoredFacts = {
    envelopeOf: (id) => {
      const row = get<EnvelopeRow>(this.#sql.envelopeOf, id);
      return row && envelopeOf(row);
    },
    revisionOf: (stream) => this.#revisionOf(stream),
  };
  readonly #names = new StreamNames();
  #commits = 0;

  /** Throws `LedgerUnreadable` when the tables are not there. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    try {
      this.#sql = prepareStatements(db);
    } catch (cause) {
      throw new LedgerUnreadable(cause);
    }
  }

  /** How many transactions have written events since the log was opened. */
  get commits(): number {
    return this.#commits;
  }

  /** Throws `CorruptLog` or `CorruptEvent` when the end of the log, behind which to write, is not what it should be. */
  assertHead(): void {
    const found = this.#read(() => get<{ newest: number | null }>(this.#sql.newestPosition)?.newest ?? -1);
    const due = this.#read(() => this.#nextPosition() - 1);
    if (found !== due) throw new CorruptLog('positions', due < 0 ? 'end' : due, found < 0 ? 'end' : found);
    if (due >= 0) this.readAll(due === 0 ? 'start' : Position.from(due - 1), 1);
  }

  /**
   * Decides the batches in this order, each upon what those before it wrote, and commits them in one transaction.
   * A batch is rejected alone when what it must be compared with is damaged. Whatever else is thrown leaves the
   * fate of all of them unknown: call `abandon` then.
   */
  writeGroup(group: readonly (readonly FrozenAppend[])[]): readonly PromiseSettledResult<AppendOutcome>[] {
    this.#sql.beginWrite.run();
    const before = this.#nextPosition();
    let next = before;
    const told = group.map((batch): PromiseSettledResult<AppendOutcome> => {
      const decision = this.#decide(batch);
      if (decision instanceof CorruptEvent) return { status: 'rejected', reason: decision };
      if (decision.kind !== 'write') return { status: 'fulfilled', value: decision };
      next = this.#insert(batch, next);
      return { status: 'fulfilled', value: appended(batch, Position.from(next - 1), false) };
    });
    if (next !== before) assert.equal(this.#sql.moveHead.run(next, before).changes, 1);
    for (const page of pagesFilled(before, next)) this.#seal(page);
    this.#sql.commit.run();
    if (next !== before) this.#commits += 1;
    return told;
  }

  /** Gives up the transaction that is open after a failed write, if one is. */
  abandon(): void {
    try {
      if (this.#db.isTransaction) this.#sql.rollback.run();
    } catch {
      // Then the transaction stays open, and no read can begin: nothing uncommitted is ever shown.
    }
  }

  readStream(stream: StreamName, from: StreamRevision, limit: number): StreamPage {
    return this.#read(() => {
      const { sizesOfStream, rowsOfStream } = this.#sql;
      const run = runOf(sizesOfStream, rowsOfStream, [stream, from], limit);
      return StreamPage.complete(stream, from, run, this.#revisionOf(stream));
    });
  }

  readAll(after: Position | 'start', limit: number): LogPage {
    return this.#read(() => {
      const run = this.#runOfLog(after === 'start' ? 0 : after + 1, limit);
      const next = this.#nextPosition();
      return LogPage.complete(after, run, next === 0 ? 'empty' : Position.from(next - 1));
    });
  }

  findEvent(id: EventId): RecordedEvent | undefined {
    return this.#read(() => {
      const row = get<EventRow>(this.#sql.eventWithId, id);
      return row && eventOf(row);
    });
  }

  /** Moves the WAL into the file once that is worth its fsync. Neither readers nor writers have to wait for it. */
  checkpointWhenDue(): void {
    const wal = get<{ log: number; checkpointed: number }>(this.#sql.walFrames);
    if (wal !== undefined && wal.log - wal.checkpointed >= checkpointAfterFrames) this.#sql.checkpoint.get();
  }

  /** Moves all of the WAL into the file, which then is the whole ledger. */
  checkpoint(): void {
    this.#sql.checkpointAll.get();
  }

  /**
   * Throws `DamagedIndex` when the table of streams and its index of names disagree: a stream that its name no longer
   * finds would be begun a second time, and a function could get a second owner.
   */
  assertStreams(): void {
    const [finding] = this.#read(() => this.#sql.streamIntegrity.all()).map((one) => String(one['integrity_check']));
    if (finding !== undefined && finding !== 'ok') throw new DamagedIndex(finding);
  }

  /** What SQLite itself finds wrong with pages, indexes and constraints. Takes as long as reading everything. */
  integrity(): readonly string[] {
    const findings = this.#read(() => this.#sql.integrity.all());
    return findings.map((finding) => String(finding['integrity_check'])).filter((finding) => finding !== 'ok');
  }

  close(): void {
    this.#db.close();
  }

  #decide(batch: readonly FrozenAppend[]): AppendDecision | CorruptEvent {
    try {
      return decideAppend(batch, this.#facts);
    } catch (error) {
      if (error instanceof CorruptEvent) return error;
      throw error;
    }
  }

  /** Inserts the events of the batch from position `first` on; returns the position behind the last. */
  #insert(batch: readonly FrozenAppend[], first: number): number {
    let next = first;
    for (const { stream, expectedRevision, events } of batch) {
      if (events.length === 0) continue;
      const streamId = this.#moveStream(stream, expectedRevision, events.length);
      for (const [index, { id, type, data, sha256 }] of events.entries()) {
        const position = Position.from(next);
        const revision = StreamRevision.after(expectedRevision, index + 1);
        const seal = sealOf({ position, stream, revision, id, type, sha256 });
        this.#sql.insertEvent.run(position, streamId, revision, id, type, sha256, seal, data);
        next += 1;
      }
    }
    return next;
  }

  /** Only what was checked event by event: a page that is damaged, or lacks one, or is too large stays without. */
  #seal(page: number): void {
    const first = page * sealedEvents;
    try {
      const { items } = this.#checkedRun(first, sealedEvents);
      const isWhole = items.length === sealedEvents && items.at(-1)?.position === first + sealedEvents - 1;
      if (!isWhole || dataBytesOf(items) > sealedBytesMax) return;
    } catch (error) {
      if (error instanceof CorruptEvent) return;
      throw error;
    }
    this.#sql.insertPage.run(page, sha256Hex(this.#textOfPage(first)));
  }

  #textOfPage(first: number): string {
    return get<{ text: string | null }>(this.#sql.textOfPage, first, first + sealedEvents)?.text ?? '';
  }

  /** Whole pages by their seals as far as there are any, and what comes behind them event by event. */
  #runOfLog(first: number, limit: number): Run<RecordedEvent> {
    const sealed: RecordedEvent[] = [];
    while (limit - sealed.length >= sealedEvents) {
      const page = this.#sealedPage(first + sealed.length);
      if (!page) break;
      sealed.push(...page);
    }
    if (sealed.length === limit) return { items: sealed, exhausted: false };
    const rest = this.#checkedRun(first + sealed.length, limit - sealed.length, dataBytesOf(sealed));
    return sealed.length === 0 ? rest : { ...rest, items: [...sealed, ...rest.items] };
  }

  /** A page that has its seal. Of another one the event is looked for that broke it. */
  #sealedPage(first: number): readonly RecordedEvent[] | undefined {
    const page = pageAt(first);
    const seal = page === undefined ? undefined : get<{ sha256: string }>(this.#sql.sealOfPage, page)?.sha256;
    if (seal === undefined) return undefined;
    const text = this.#textOfPage(first);
    return sha256Hex(text) === seal ? eventsIn(text, first, this.#names) : undefined;
  }

  #checkedRun(first: number, limit: number, bytes = 0): Run<RecordedEvent> {
    return runOf(this.#sql.sizesOfLog, this.#sql.rowsOfLog, [first], limit, bytes);
  }

  #moveStream(stream: StreamName, expected: ExpectedRevision, count: number): number {
    const revision = StreamRevision.after(expected, count);
    const moved = expected === 'no-stream'
      ? get<{ stream_id: number }>(this.#sql.beginStream, stream, revision)
      : get<{ stream_id: number }>(this.#sql.moveStream, revision, stream, expected);
    assert(moved !== undefined, `${stream} is not at ${expected}, as was decided`);
    return moved.stream_id;
  }

  #nextPosition(): number {
    const ledger = get<{ events: number }>(this.#sql.nextPosition);
    assert(ledger !== undefined, 'the ledger has lost its count of events');
    return Position.from(ledger.events);
  }

  #revisionOf(stream: StreamName): ExpectedRevision {
    const row = get<{ revision: number }>(this.#sql.revisionOf, stream);
    return row === undefined ? 'no-stream' : StreamRevision.from(row.revision);
  }

  // A transaction, since beside a writer in another process the parts of one answer must come from one moment.
  #read<T>(read: () => T): T {
    try {
      this.#sql.begin.run();
      return read();
    } catch (error) {
      throw error instanceof CorruptEvent || error instanceof CorruptLog ? error : new LedgerUnreadable(error);
    } finally {
      if (this.#db.isTransaction) this.#sql.rollback.run();
    }
  }
}

function get<Row>(statement: StatementSync, ...given: SQLInputValue[]): Row | undefined {
  return statement.get(...given) as Row | undefined;
}

/** A page's events: as many as it may hold of those that are there, with `before` bytes of others in it already. */
function runOf(
  sizes: StatementSync, rows: StatementSync, where: readonly SQLInputValue[], limit: number, before = 0,
): Run<RecordedEvent> {
  const events = (count: number): readonly RecordedEvent[] =>
    (rows.all(...where, count) as unknown as readonly EventRow[]).map(eventOf);
  // So few that they fit into a page, however large they are.
  if (before + limit * eventBytesMax <= pageBytesMax) {
    const items = events(limit);
    return { items, exhausted: items.length < limit };
  }
  const there = sizes.all(...where, limit) as unknown as readonly { readonly bytes: number }[];
  const { items, exhausted } = takeRun(there, limit, ({ bytes }) => bytes, before);
  return { items: items.length === 0 ? [] : events(items.length), exhausted };
}
