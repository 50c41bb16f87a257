import { Digest } from '@cadastre/device-layout';
import { MemoryEventStore } from '@cadastre/event-store';
import { decodeEvent, functionStream, type LedgerEvent } from '@cadastre/lifecycle';
import { attemptsMax, type Decided, Recorder } from './recorder.js';
import { answering, deviceKey, endpoint, functionKey, TestClock, TestLedger } from './testing.js';

describe('an idempotency key', () => {
  it('has one effect: the same request again is answered from what was recorded', async () => {
    const ledger = await TestLedger.open();
    await ledger.observe('o');
    const first = await ledger.attach('a');
    const again = await ledger.attach('a');
    expect(first).toMatchObject({ kind: 'recorded', replayed: false, revision: 1, position: 4 });
    expect(again).toEqual({ ...first, replayed: true });
    expect(await ledger.types()).toHaveLength(5);
  });

  it('keeps its first answer when the device has moved on', async () => {
    const ledger = await TestLedger.open();
    await ledger.observe('o');
    const first = await ledger.attach('a');
    await ledger.detach('d');
    expect(await ledger.attach('a')).toEqual({ ...first, replayed: true });
    expect(await ledger.detach('d')).toMatchObject({ kind: 'recorded', replayed: true, state: { kind: 'detached' } });
  });

  it('keeps its first answer over a restart', async () => {
    const store = new MemoryEventStore();
    const before = await TestLedger.open(store);
    await before.observe('o');
    const first = await before.attach('a');
    const after = await TestLedger.open(store);
    expect(await after.attach('a')).toEqual({ ...first, replayed: true });
  });

  it('is refused for another request, and nothing is recorded', async () => {
    const ledger = await TestLedger.open();
    await ledger.observe('o');
    const refused = { kind: 'refused', refusal: { kind: 'key-reused', idempotencyKey: 'o' } };
    expect(await ledger.observe('o', functionKey(), endpoint(2))).toEqual(refused);
    expect(await ledger.attach('o')).toEqual(refused);
    expect(await ledger.types()).toEqual(['FunctionRegistered', 'FunctionObserved']);
  });

  it('is remembered even by a look that saw nothing new', async () => {
    const ledger = await TestLedger.open();
    await ledger.observe('o1');
    await ledger.observe('o2');
    expect(await ledger.observe('o2', functionKey(), endpoint(2))).toMatchObject({ refusal: { kind: 'key-reused' } });
  });

  it('is not used up by a refusal', async () => {
    const ledger = await TestLedger.open();
    expect(await ledger.attach('a')).toMatchObject({ kind: 'refused', refusal: { kind: 'function-not-registered' } });
    await ledger.observe('o');
    expect(await ledger.attach('a')).toMatchObject({ kind: 'recorded', replayed: false });
  });

  it('raced 50 times has one effect; the others are told that it is running', async () => {
    const ledger = await TestLedger.open();
    await ledger.observe('o');
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => ledger.attach('a')));
    const told = outcomes.map((one) => (one.kind === 'recorded' ? 'recorded' : one.refusal.kind));
    expect(told.filter((one) => one === 'recorded')).toHaveLength(1);
    expect(told.filter((one) => one === 'key-in-flight')).toHaveLength(49);
    expect(await ledger.types()).toHaveLength(5);
  });
});

describe('two attaches of one function at once', () => {
  it('end with exactly one owner, and the other is told who', async () => {
    for (let round = 0; round < 100; round += 1) {
      const ledger = await TestLedger.open();
      await ledger.observe('o');
      const outcomes = await Promise.all([
        ledger.attach('a', deviceKey('vm-1')), ledger.attach('b', deviceKey('vm-2')),
        ledger.attach('c', deviceKey('vm-3')),
      ]);
      const winners = outcomes.filter((one) => one.kind === 'recorded');
      const losers = outcomes.flatMap((one) => (one.kind === 'refused' ? [one.refusal.kind] : []));
      expect(winners).toHaveLength(1);
      expect(losers).toEqual(['function-claimed', 'function-claimed']);
      expect(await ledger.types()).toEqual([
        'FunctionRegistered', 'FunctionObserved', 'DeviceAttached', 'LayoutDecided', 'FunctionClaimed',
      ]);
    }
  });
});

describe('many looks at one function at once', () => {
  it('are all recorded: commands of one stream take turns', async () => {
    const ledger = await TestLedger.open();
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, index) => ledger.observe(`o${index}`)));
    expect(outcomes.filter((one) => one.kind === 'recorded')).toHaveLength(200);
    expect(await ledger.types()).toHaveLength(201);
  });
});

describe('the recorder', () => {
  it('says that the outcome is unknown when storage fails, and does not try again', async () => {
    const store = new MemoryEventStore();
    await (await TestLedger.open(store)).observe('o');
    let appends = 0;
    const broken = await TestLedger.open(answering(store, () => {
      appends += 1;
      return Promise.resolve({ kind: 'unknown', cause: new Error('disk I/O error') });
    }));
    expect(await broken.attach('a')).toEqual({
      kind: 'refused', refusal: { kind: 'outcome-unknown', reason: 'disk I/O error' },
    });
    expect(appends).toBe(1);
  });

  it('finds out by the same key what became of an unknown outcome', async () => {
    const store = new MemoryEventStore();
    await (await TestLedger.open(store)).observe('o');
    const lost = await TestLedger.open(answering(store, async (real) => {
      await real();
      return { kind: 'unknown', cause: new Error('the reply was lost') };
    }));
    await lost.attach('a');
    const later = await TestLedger.open(store);
    expect(await later.attach('a')).toMatchObject({ kind: 'recorded', replayed: true, state: { kind: 'attached' } });
  });

  it('gives up, with a name, when the stream moves every time', async () => {
    const store = new MemoryEventStore();
    await (await TestLedger.open(store)).observe('o');
    let appends = 0;
    const contended = await TestLedger.open(answering(store, async (real) => {
      appends += 1;
      await (await TestLedger.open(store)).observe(`other-${appends}`);
      return real();
    }));
    expect(await contended.attach('a')).toMatchObject({
      kind: 'refused', refusal: { kind: 'too-contended', attempts: attemptsMax },
    });
    expect(appends).toBe(attemptsMax);
  });

  it('decides again when a stream moved between two reads of one decision', async () => {
    const store = new MemoryEventStore();
    const ledger = await TestLedger.open(store);
    await ledger.observe('o');
    const stream = functionStream(functionKey());
    const reads: number[] = [];
    const recorder = await Recorder.open(store, new TestClock());
    const decide = async (): Promise<Decided<null>> => {
      const before = (await ledger.reader.function(functionKey())).revision;
      if (reads.length === 0) await ledger.observe('meanwhile', functionKey(), endpoint(2));
      const { revision } = await ledger.reader.function(functionKey());
      reads.push(Number(revision));
      const events: readonly LedgerEvent[] = [{ type: 'FunctionRetired', schema: 1, reason: null }];
      return {
        kind: 'decided', changes: [{ stream, expectedRevision: revision, events }],
        standsOn: [{ stream, expectedRevision: before }], after: () => null,
      };
    };
    const identity = { idempotencyKey: 'r', requestDigest: Digest.of('r') };
    const recorded = await recorder.record(identity, { stream, decide, stateAt: () => Promise.resolve(null) });
    expect(recorded).toMatchObject({ kind: 'recorded', revision: 3 });
    expect(reads).toEqual([2, 2]);
  });

  it('never lets recorded time run backwards', async () => {
    const clock = new TestClock(2_000);
    const store = new MemoryEventStore();
    const ledger = await TestLedger.open(store, clock);
    await ledger.observe('1');
    clock.instant = 1_000;
    await ledger.observe('2');
    await (await TestLedger.open(store, clock)).observe('3');
    clock.instant = 3_000;
    await ledger.observe('4');
    const { events } = await store.readAll();
    const times = events.map((event) => Date.parse(decodeEvent(event.data).envelope.recordedAt));
    expect(times).toEqual([2_000, 2_000, 2_000, 2_000, 3_000]);
  });
});

describe('a precondition', () => {
  it('that holds lets the command through; a stale one is refused with the revision that is', async () => {
    const ledger = await TestLedger.open();
    await ledger.observe('o');
    await ledger.attach('a');
    expect(await ledger.detach('d', deviceKey(), { kind: 'if-match', revisions: [0] })).toEqual({
      kind: 'refused',
      refusal: { kind: 'revision-stale', stream: 'device-vm-1/gpu0', expected: 'revision 0', actual: 1 },
    });
    expect(await ledger.detach('d', deviceKey(), { kind: 'if-match', revisions: [1] })).toMatchObject({ revision: 2 });
  });

  it('is required where something exists, and not where nothing does', async () => {
    const ledger = await TestLedger.open();
    await ledger.observe('o');
    expect(await ledger.attach('a')).toMatchObject({ kind: 'recorded' });
    expect(await ledger.detach('d', deviceKey(), { kind: 'none' })).toEqual({
      kind: 'refused', refusal: { kind: 'precondition-required', stream: 'device-vm-1/gpu0', actual: 1 },
    });
  });

  it('that nothing may exist is refused where something does', async () => {
    const ledger = await TestLedger.open();
    await ledger.observe('o');
    await ledger.attach('a');
    expect(await ledger.attach('b', deviceKey(), functionKey(), { kind: 'if-none-match-any' })).toMatchObject({
      refusal: { kind: 'revision-stale', expected: 'no such resource', actual: 1 },
    });
  });

  it('that something exists is refused where nothing does', async () => {
    const ledger = await TestLedger.open();
    await ledger.observe('o');
    expect(await ledger.attach('a', deviceKey(), functionKey(), { kind: 'if-match-any' })).toMatchObject({
      refusal: { kind: 'revision-stale', actual: null },
    });
  });
});
