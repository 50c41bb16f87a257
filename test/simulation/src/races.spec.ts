import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Bdf } from '@cadastre/config-space';
import { Digest } from '@cadastre/device-layout';
import { type EventStore } from '@cadastre/event-store';
import { AttachDevice, DetachDevice, LedgerModule, ObserveFunction, replay, systemClock } from '@cadastre/ledger';
import {
  DeviceId, type DeviceKey, type FunctionKey, HostName, Observation, VmId,
} from '@cadastre/lifecycle';
import { inMemory, Views } from '@cadastre/views';
import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { type Home, homeInMemory, homeOnDisk } from './home.js';
import { must } from './model.js';
import { looks, sure } from './world.js';

/** So many functions are raced for at once: on disk they share their syncs, as the requests of a fleet do. */
const lanes = 100;

const races = 10_000;

interface Client {
  readonly name: string;
  readonly app: INestApplicationContext;
  readonly views: Views;
}

/** What a process has of its own: recorder, reader, evidence, views. Only the store is shared. */
async function client(name: string, store: EventStore): Promise<Client> {
  const views = await Views.open(store, inMemory, () => undefined);
  const module = LedgerModule.register({ store, clock: systemClock, views });
  return { name, views, app: await NestFactory.createApplicationContext(module, { logger: false }) };
}

function laneKey(lane: number): FunctionKey {
  const address = `0000:${(lane >> 3).toString(16).padStart(2, '0')}:00.${lane & 7}`;
  return { host: sure(HostName.from('host-a')), address: sure(Bdf.from(address)) };
}

function deviceOf(name: string, race: number): DeviceKey {
  return { vm: sure(VmId.from(`vm-${name}-${race}`)), device: sure(DeviceId.from('d')) };
}

const identity = (key: string): { idempotencyKey: string; requestDigest: Digest } =>
  ({ idempotencyKey: key, requestDigest: Digest.of(key) });

async function register({ app }: Client): Promise<void> {
  const { space } = must(looks.none[0], 'look');
  const observation = Observation.of(space, {
    kernel: { release: '7.2.13', flavour: 'upstream' }, sriov: { role: 'none', pf: null },
    iommu: { maxPasidLog2: 16, exec: false, priv: true, atsSupported: true },
  });
  for (let lane = 0; lane < lanes; lane += 1) {
    await app.get(CommandBus).execute(new ObserveFunction(identity(`look-${lane}`), laneKey(lane), observation,
      { kind: 'none' }));
  }
}

/** One function, two clients, at once; who won lets go of it again. */
async function race(number: number, clients: readonly [Client, Client]): Promise<string> {
  const key = laneKey(number % lanes);
  const wish = {
    requested: [], policy: { strategies: ['gap' as const], pinned: {}, allowedRanges: [], forbiddenRanges: [] },
    operations: [], told: [], persona: null, vmm: null, keepPlaces: true,
  };
  // Who is asked first is not always the same.
  const asked = number % 2 === 0 ? clients : clients.toReversed();
  const outcomes = await Promise.all(asked.map(async ({ app, name }, index) => {
    // Who starts a turn late meets the other at another step; in half of the races nobody does.
    if (Math.floor(number / lanes) % 4 === index) await setImmediate();
    return app.get(CommandBus).execute(new AttachDevice(
      identity(`attach-${name}-${number}`), deviceOf(name, number), key, wish, null, { kind: 'none' }));
  }));
  const winners = asked.filter((_, index) => outcomes[index]?.kind === 'recorded');
  const lost = outcomes.flatMap((one) => (one.kind === 'refused' ? [one.refusal] : []));
  const [winner] = winners;
  if (winners.length !== 1 || !winner) throw new Error(`race ${number}: ${winners.length} won`);
  const by = deviceOf(winner.name, number);
  const [refusal] = lost;
  if (refusal?.kind !== 'function-claimed' || refusal.by.vm !== by.vm) {
    throw new Error(`race ${number} was won by ${by.vm}, and the other was told ${JSON.stringify(refusal)}`);
  }
  const other = must(clients.find((one) => one !== winner), 'client');
  const left = await other.app.get(CommandBus).execute(
    new DetachDevice(identity(`detach-${number}`), by, null, { kind: 'if-match-any' }));
  if (left.kind !== 'recorded') throw new Error(`race ${number}: ${JSON.stringify(left.refusal)}`);
  return winner.name;
}

/** How often an append came too late: the other client had written to the stream since it was read. */
function countMoved(store: EventStore): () => number {
  const append = store.append.bind(store);
  let moved = 0;
  store.append = async (batch) => {
    const outcome = await append(batch);
    if (outcome.kind === 'revision-moved') moved += 1;
    return outcome;
  };
  return () => moved;
}

async function expectFair(home: Home, count: number): Promise<void> {
  const store = await home.open();
  const moved = countMoved(store);
  const clients = [await client('one', store), await client('two', store)] as const;
  await register(clients[0]);
  const won = new Map<string, number>();
  await Promise.all(Array.from({ length: lanes }, async (_, lane) => {
    for (let number = lane; number < count; number += lanes) {
      const winner = await race(number, clients);
      won.set(winner, (won.get(winner) ?? 0) + 1);
    }
  }));
  const { head } = await store.readAll({ limit: 1 });
  // Two events for each function; of each race three of the attach, two of the detach, and none of who lost.
  expect(head).toBe(2 * lanes + 5 * count - 1);
  expect(await replay(store)).toMatchObject({ functions: lanes });
  // Both were there, and met: else nothing was tested.
  expect([...won.keys()].sort()).toEqual(['one', 'two']);
  expect(moved()).toBeGreaterThan(count / 200);
  for (const { app, views } of clients) {
    await views.close();
    await app.close();
  }
  await store.close();
}

describe('two clients that race for one function', () => {
  it(`never both win and never both lose, ${races} times in memory`, () =>
    expectFair(homeInMemory(systemClock), races), 300_000);

  it(`nor ${races} times on disk`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cadastre-races-'));
    await expectFair(homeOnDisk(systemClock, directory), races);
    rmSync(directory, { recursive: true });
  }, 300_000);
});
