import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import { CapabilityName, type DeviceFilter, Model, viewFileName, Views } from '@cadastre/views';
import { nameOf, writeFleet } from './fleet.js';
import { serve } from './http.bench.js';
import { percentile } from './measure.js';

export interface ListFigures {
  readonly filter: string;
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly overHttp: { readonly p50Millis: number; readonly p99Millis: number };
}

export interface ViewFigures {
  readonly devices: number;
  readonly lists: readonly ListFigures[];
  /** Events a second that a rebuild takes in. */
  readonly rebuiltPerSecond: number;
}

const devices = 100_000;
const questions = 400;
const pageSize = 100;

/** What operators ask, and what is dearest to answer: conditions that each fit many devices and together none. */
const filters: readonly (readonly [name: string, filter: (index: number) => DeviceFilter])[] = [
  ['none', () => ({})],
  ['vm', (index) => ({ vm: nameOf(index).vm })],
  ['host', (index) => ({ host: nameOf(index).host })],
  ['host, model, capability', (index) => ({ host: nameOf(index).host, model: igb, capability: pasid })],
  ['model', () => ({ model: igb })],
  ['capability', () => ({ capability: pasid })],
  ['model, capability: fits none', () => ({ model: xhci, capability: sriov })],
  ['capability: fits none', () => ({ capability: serial })],
  ['state: fits none', () => ({ state: 'detached' })],
];

const [igb, xhci] = [Model.of(0x8086, 0x10c9), Model.of(0x1b36, 0x000d)];
const [pasid, sriov, serial] = [0x1b, 0x10, 0x03].map((id) => CapabilityName.of('extended', id));

/** Lists of 100,000 devices: a page somewhere in each, asked of the views and of a server over loopback. */
export async function benchViews(): Promise<ViewFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'cadastre-bench-'));
  const store = await SqliteEventStore.open(directory);
  await writeFleet(store, devices);
  const views = Views.anew(store, join(directory, viewFileName));
  const start = performance.now();
  let events = 0;
  await views.follow((done) => {
    events = done;
  });
  const rebuiltPerSecond = (events * 1_000) / (performance.now() - start);
  const asked = new Map<string, readonly number[]>();
  for (const [name, filter] of filters) {
    asked.set(name, await times((index) => views.devices(filter(index), afterOf(index), pageSize)));
  }
  await views.close();
  await store.close();
  const overHttp = await askServer(directory);
  rmSync(directory, { recursive: true });
  const lists = filters.map(([filter]) => (
    { filter, ...figures(asked.get(filter)), overHttp: figures(overHttp.get(filter)) }));
  return { devices, lists, rebuiltPerSecond };
}

async function askServer(directory: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const server = await serve(directory);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const asked = new Map<string, readonly number[]>();
  for (const [name, filter] of filters) {
    asked.set(name, await times((index) => {
      const query = new URLSearchParams({ ...filter(index), limit: String(pageSize) });
      return fetched(server.port, agent, `/v1/devices?${query.toString()}`);
    }));
  }
  agent.destroy();
  await server.stop();
  return asked;
}

function fetched(port: number, agent: Agent, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent }, (response) => {
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${path} answered ${response.statusCode}`));
      }).resume();
    }).on('error', reject);
  });
}

/** A place to begin a page at: anywhere for every second question, otherwise the beginning. */
function afterOf(index: number): string {
  return index % 2 === 0 ? '' : `device-${nameOf(index).vm}/`;
}

/** Milliseconds of each question; which device it is about walks over the whole fleet. */
async function times(ask: (index: number) => Promise<unknown>): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let question = 0; question < questions; question += 1) {
    const start = performance.now();
    await ask((question * 7_919) % devices);
    taken.push(performance.now() - start);
  }
  return taken;
}

function figures(taken: readonly number[] = []): { readonly p50Millis: number; readonly p99Millis: number } {
  return { p50Millis: percentile(taken, 0.5), p99Millis: percentile(taken, 0.99) };
}
