import { MemoryEventStore, Position } from '@cadastre/event-store';
import { FunctionIndex, type FunctionRow } from './functions/function-index.js';
import { ListFunctions, ListFunctionsHandler } from './functions/list-functions.js';
import { replay, type Replayed } from './replay.js';
import { type Read, StreamReader } from './stream-reader.js';
import { deviceKey, endpoint, functionKey, TestLedger } from './testing.js';

const addresses = ['0000:01:00.0', '0000:02:00.0'] as const;

/** What a ledger says of everything right after a command. */
interface Snapshot {
  readonly position: Position;
  readonly states: readonly Read<unknown>[];
  readonly rows: readonly FunctionRow[];
  readonly replayed: Replayed;
}

async function snapshot(store: MemoryEventStore): Promise<Snapshot> {
  const reader = new StreamReader(store);
  const { head } = await store.readAll({ limit: 1 });
  return {
    position: Position.from(Number(head)),
    states: [await reader.device(deviceKey()), ...await Promise.all(addresses.map((one) =>
      reader.function(functionKey(one))))],
    rows: (await new FunctionIndex(store).page('', 10)).rows,
    replayed: await replay(store),
  };
}

async function history() {
  const store = new MemoryEventStore();
  const ledger = await TestLedger.open(store);
  const [first, second] = addresses;
  const steps = [
    () => ledger.observe('o1', functionKey(first)),
    () => ledger.attach('a1', deviceKey(), functionKey(first)),
    () => ledger.observe('o2', functionKey(second), endpoint(2)),
    () => ledger.observe('o3', functionKey(first), endpoint(3)),
    () => ledger.detach('d1'),
    () => ledger.attach('a2', deviceKey(), functionKey(second), { kind: 'if-match-any' }),
    () => ledger.observe('o4', functionKey(second), endpoint(2)),
  ];
  const snapshots: Snapshot[] = [];
  for (const step of steps) {
    expect(await step()).toMatchObject({ kind: 'recorded' });
    snapshots.push(await snapshot(store));
  }
  return { store, snapshots };
}

describe('the past', () => {
  it('is told as it was told when it was the present: devices, functions, lists and replays', async () => {
    const { store, snapshots } = await history();
    const reader = new StreamReader(store);
    // The present is known, and must not leak into the past.
    await reader.device(deviceKey());
    const list = new ListFunctionsHandler(new FunctionIndex(store), reader);
    for (const { position, states, rows, replayed } of snapshots) {
      const then = [
        await reader.device(deviceKey(), { position }),
        ...await Promise.all(addresses.map((one) => reader.function(functionKey(one), { position }))),
      ];
      expect(then).toEqual(states);
      expect(await list.execute(new ListFunctions('', 10, position))).toEqual({ rows, more: false });
      expect(await replay(store, { upTo: position })).toEqual(replayed);
    }
    expect(snapshots.map(({ rows }) => rows.length)).toEqual([1, 1, 2, 2, 2, 2, 2]);
  });

  it('can be replayed up to any position, in the middle of a command too', async () => {
    const { store, snapshots } = await history();
    const head = snapshots.at(-1)?.position ?? 0;
    for (let position = 0; position <= head; position += 1) {
      expect(await replay(store, { upTo: Position.from(position) })).toMatchObject({ events: position + 1 });
    }
  });
});
