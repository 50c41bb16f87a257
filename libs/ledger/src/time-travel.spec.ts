import { MemoryEventStore, Position } from '@cadastre/event-store';
import { inMemory, Views } from '@cadastre/views';
import { ListClashes, ListClashesHandler } from './lists/list-clashes.js';
import { ListDevices, ListDevicesHandler } from './lists/list-devices.js';
import { ListFunctions, ListFunctionsHandler } from './lists/list-functions.js';
import { type ListOutcome } from './lists/list-outcome.js';
import { ListVms, ListVmsHandler } from './lists/list-vms.js';
import { replay, type Replayed } from './replay.js';
import { type Read, StreamReader } from './stream-reader.js';
import { deviceKey, endpoint, functionKey, TestLedger } from './testing.js';

const addresses = ['0000:01:00.0', '0000:02:00.0'] as const;

/** What a ledger says of everything right after a command. */
interface Snapshot {
  readonly position: Position;
  readonly states: readonly Read<unknown>[];
  readonly lists: readonly ListOutcome<unknown>[];
  readonly replayed: Replayed;
}

async function snapshot(store: MemoryEventStore, views: Views): Promise<Snapshot> {
  const reader = new StreamReader(store);
  const { head } = await store.readAll({ limit: 1 });
  return {
    position: Position.from(Number(head)),
    states: [await reader.device(deviceKey()), ...await Promise.all(addresses.map((one) =>
      reader.function(functionKey(one))))],
    lists: await lists(store, views, null),
    replayed: await replay(store),
  };
}

/** All lists, whole and narrowed, now or as of a position. */
function lists(store: MemoryEventStore, views: Views, at: Position | null): Promise<readonly ListOutcome<unknown>[]> {
  const reader = new StreamReader(store);
  const [functions, devices] = [new ListFunctionsHandler(views, reader), new ListDevicesHandler(views, reader)];
  return Promise.all([
    ...[{}, { claimed: true }, { vm: 'vm-1' }, { host: 'host-a', claimed: false }, { host: 'host-b' }]
      .map((filter) => functions.execute(new ListFunctions(filter, '', 10, at))),
    ...[{}, { state: 'attached' as const }, { vm: 'vm-1', state: 'detached' as const }, { host: 'host-a' }]
      .map((filter) => devices.execute(new ListDevices(filter, '', 10, at))),
    new ListVmsHandler(views, reader).execute(new ListVms('', 10, at)),
    new ListClashesHandler(views).execute(new ListClashes(at === null ? {} : { at }, 0, 10)),
  ]);
}

async function history() {
  const store = new MemoryEventStore();
  const ledger = await TestLedger.open(store);
  const views = await Views.open(store, inMemory, () => undefined);
  const [first, second] = addresses;
  const steps = [
    () => ledger.observe('o1', functionKey(first)),
    () => ledger.attach('a1', deviceKey(), functionKey(first)),
    () => ledger.observe('o2', functionKey(second), endpoint(2)),
    () => ledger.observe('o3', functionKey(first), endpoint(3)),
    () => ledger.detach('d1'),
    () => ledger.attach('a2', deviceKey(), functionKey(second), { kind: 'if-match-any' }),
    () => ledger.observe('o4', functionKey(second), endpoint(2)),
    () => ledger.observe('o5', functionKey(second), endpoint(2), { role: 'pf', pf: null }, '7.3.1'),
  ];
  const snapshots: Snapshot[] = [];
  for (const step of steps) {
    expect(await step()).toMatchObject({ kind: 'recorded' });
    snapshots.push(await snapshot(store, views));
  }
  return { store, views, snapshots };
}

describe('the past', () => {
  it('is told as it was told when it was the present: devices, functions, lists and replays', async () => {
    const { store, views, snapshots } = await history();
    const reader = new StreamReader(store);
    // The present is known, and must not leak into the past.
    await reader.device(deviceKey());
    for (const { position, states, lists: then, replayed } of snapshots) {
      const statesThen = [
        await reader.device(deviceKey(), { position }),
        ...await Promise.all(addresses.map((one) => reader.function(functionKey(one), { position }))),
      ];
      expect(statesThen).toEqual(states);
      expect(await lists(store, views, position)).toEqual(then);
      expect(await replay(store, { upTo: position })).toEqual(replayed);
    }
    const rows = snapshots.map(({ lists: [functions] }) => (functions?.kind === 'found' ? functions.rows.length : -1));
    expect(rows).toEqual([1, 1, 2, 2, 2, 2, 2, 2]);
  });

  it('can be replayed up to any position, in the middle of a command too', async () => {
    const { store, snapshots } = await history();
    const head = snapshots.at(-1)?.position ?? 0;
    for (let position = 0; position <= head; position += 1) {
      expect(await replay(store, { upTo: Position.from(position) })).toMatchObject({ events: position + 1 });
    }
  });
});
