import { type CommandOutcome, replay } from '@cadastre/ledger';
import { type DeviceState, type KnownMigration } from '@cadastre/lifecycle';
import { aimed } from './aim.js';
import { type AnyCommand, commandFor, identityOf } from './commands.js';
import { happen, lookMeant } from './happenings.js';
import { type Home } from './home.js';
import { type Loss } from './losing-store.js';
import { Model } from './model.js';
import { isReached, objectionsTo } from './objections.js';
import { type Request } from './request.js';
import { RunningLedger } from './running-ledger.js';
import {
  CountedUsers, expectAsModelled, expectOneTruth, expectSound, type Held, heldBy, SeenPlaces,
} from './soundness.js';

/** A request that was recorded, and the answer that is given to it for ever. */
interface Recorded {
  readonly key: string;
  readonly request: Request;
  readonly command: AnyCommand;
  readonly answer: string;
}

/** How often requests of each kind were recorded and refused: a run that only meets refusals proves little. */
export class Tally {
  private readonly counts = new Map<string, number>();

  count(kind: string, as: 'recorded' | 'refused'): void {
    const name = `${kind} ${as}`;
    this.counts.set(name, this.of(kind, as) + 1);
  }

  of(kind: string, as: 'recorded' | 'refused'): number {
    return this.counts.get(`${kind} ${as}`) ?? 0;
  }
}

/** One ledger and the model beside it, from the first event on. */
export class History {
  private readonly model = new Model();
  private readonly recorded: Recorded[] = [];
  private readonly seen = new SeenPlaces();
  private readonly counted = new CountedUsers();
  /** The answers of steps of migrations. */
  private readonly steps = new Map<string, string>();
  private keys = 0;

  private constructor(private readonly home: Home, private ledger: RunningLedger, private readonly tally: Tally) {}

  static async begin(home: Home, tally: Tally): Promise<History> {
    return new History(home, await RunningLedger.start(home), tally);
  }

  /**
   * Sends a request under a key of its own.
   * @param aim whether it goes where it can be met, if it can be anywhere
   * @param loss the process dies while it writes, and the client asks the next one under the same key
   */
  async send(asked: Request, aim: boolean, loss: Loss | null): Promise<void> {
    const request = aim ? aimed(asked, this.model) : asked;
    this.keys += 1;
    const key = `key-${this.keys}`;
    const command = await commandFor(request, identityOf(key, request), this.model, this.ledger);
    const objections = objectionsTo(request, this.model);
    const isDone = request.kind === 'advance' && isReached(request, this.model.migrations.at(-1 - request.back));
    const writes = objections.length === 0 && !isDone;
    const before = await this.ledger.head();
    if (loss !== null && writes) await this.crash(command, loss);
    const outcome = await this.ledger.execute(command);
    if (objections.length > 0 && !isDone) expectRefused(outcome, objections);
    else {
      expect(outcome.kind === 'refused' ? outcome.refusal : null).toBeNull();
      expect(outcome).toMatchObject({ kind: 'recorded', replayed: writes && loss === 'written-untold' });
      this.expectAsBefore(request, outcome);
      if (request.kind === 'observe') this.expectLook(request, outcome);
      if (writes) this.note({ key, request, command, answer: answerOf(outcome) }, outcome);
    }
    expect([outcome.kind, await this.ledger.head() === before]).toEqual([outcome.kind, !writes]);
    this.tally.count(request.kind === 'advance' ? request.step : request.kind, outcome.kind);
    await this.look();
  }

  /** Repeats an earlier request: the first answer comes again, and nothing else happens. */
  async repeat(back: number): Promise<void> {
    const earlier = this.recorded.at(-1 - back);
    if (!earlier) return;
    const before = await this.ledger.head();
    const again = await this.ledger.execute(earlier.command);
    expect([again.kind, answerOf(again)]).toEqual(['recorded', earlier.answer]);
    expect(again).toMatchObject({ replayed: true });
    expect(await this.ledger.head()).toBe(before);
    await this.look();
  }

  /** Uses an earlier key for another request. */
  async reuseKey(back: number, request: Request): Promise<void> {
    const earlier = this.recorded.at(-1 - back);
    if (!earlier || JSON.stringify(earlier.request) === JSON.stringify(request)) return;
    const before = await this.ledger.head();
    const command = await commandFor(request, identityOf(earlier.key, request), this.model, this.ledger);
    expect(await this.ledger.execute(command)).toMatchObject({ kind: 'refused', refusal: { kind: 'key-reused' } });
    expect(await this.ledger.head()).toBe(before);
    await this.look();
  }

  /** Ends the process and begins a new one over what is stored. */
  async restart(): Promise<void> {
    await this.ledger.stop();
    this.ledger = await RunningLedger.start(this.home);
  }

  /** Views take in what there is: they follow in steps, not only at the end. */
  list(): Promise<void> {
    return this.ledger.views.follow();
  }

  /** Everything there is tells the same story, and does so after a restart. */
  async expectOneTruth(): Promise<void> {
    await expectOneTruth(await this.look(), this.model, this.ledger);
    await this.restart();
    await expectOneTruth(await this.look(), this.model, this.ledger);
  }

  /** Names every event: equal for equal histories. */
  async digest(): Promise<string> {
    return (await replay(this.ledger.store)).ledgerDigest;
  }

  end(): Promise<void> {
    return this.ledger.stop();
  }

  private async crash(command: AnyCommand, loss: Loss): Promise<void> {
    this.ledger.store.lose(this.ledger.store.appends, loss);
    expect(await this.ledger.execute(command)).toMatchObject({ refusal: { kind: 'outcome-unknown' } });
    await this.restart();
  }

  /** Whoever takes a migration where it stands already gets the answer of whoever took it there. */
  private expectAsBefore(request: Request, outcome: CommandOutcome<unknown>): void {
    if (request.kind !== 'advance') return;
    const step = `${this.model.migrations.at(-1 - request.back)?.id} ${request.step}`;
    expect(answerOf(outcome)).toBe(this.steps.get(step) ?? answerOf(outcome));
    this.steps.set(step, answerOf(outcome));
  }

  /** A look says which of all it came to. */
  private expectLook(request: Extract<Request, { kind: 'observe' }>, outcome: CommandOutcome<unknown>): void {
    const meant = lookMeant(request, this.model);
    expect(outcome).toMatchObject({ state: { recorded: meant } });
    this.tally.count(meant, 'recorded');
  }

  private note(recorded: Recorded, outcome: CommandOutcome<unknown>): void {
    const { request } = recorded;
    this.recorded.push(recorded);
    const state = outcome.kind === 'recorded' ? outcome.state : null;
    const device = request.kind === 'attach' || request.kind === 'decide' ? state as DeviceState : null;
    happen(request, this.model, {
      layout: device?.kind === 'attached' ? device.layout : null,
      migration: request.kind === 'plan' ? state as KnownMigration : null,
    });
  }

  private async look(): Promise<Held> {
    const held = await heldBy(this.ledger);
    expectSound(held);
    this.seen.expectUnmoved(held);
    await this.counted.expectCounted(this.ledger.store);
    await expectAsModelled(held, this.model, this.ledger);
    return held;
  }
}

function expectRefused(outcome: CommandOutcome<unknown>, objections: readonly string[]): void {
  const because = outcome.kind === 'refused' ? outcome.refusal.kind : outcome.kind;
  expect(objections).toContain(because);
}

/** All of an answer but whether it was the first time. */
function answerOf(outcome: CommandOutcome<unknown>): string {
  return JSON.stringify({ ...outcome, replayed: null });
}
