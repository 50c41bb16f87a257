import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import {
  CapabilityName, type ClashFilter, type DeviceFilter, type FunctionFilter, Model, viewFileName, Views,
} from '@cadastre/views';
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
  /** The first page asked of a server that has just started. */
  readonly firstPageMillis: number;
}

const devices = 100_000;
/** So many that their 99th percentile does not hang on two of them. */
const questionsEach = 1_000;
const pageSize = 100;

interface Question {
  readonly name: string;
  /** Of the views. */
  readonly ask: (views: Views, index: number) => Promise<unknown>;
  /** Of a server. */
  readonly path: (index: number) => string;
}

type Conditions<Filter> = (index: number) => Omit<Filter, 'at'>;

/** What operators ask, and what is dearest to answer: conditions that each fit many rows and together none. */
function questions(layoutDigest: string): readonly Question[] {
  const devicesBy = (name: string, filter: Conditions<DeviceFilter>): Question => ({
    name: `devices: ${name}`, path: pathTo('devices', filter),
    ask: (views, index) => views.devices(filter(index), afterOf('device', index), pageSize),
  });
  const functionsBy = (name: string, filter: Conditions<FunctionFilter>): Question => ({
    name: `functions: ${name}`, path: pathTo('functions', filter),
    ask: (views, index) => views.functions(filter(index), afterOf('function', index), pageSize),
  });
  const clashesBy = (name: string, filter: Conditions<ClashFilter>): Question => ({
    name: `clashes: ${name}`, path: pathTo('audit/clashes', filter),
    ask: (views, index) => views.clashes(filter(index), index % 2 === 0 ? 0 : index / 20, pageSize),
  });
  return [
    devicesBy('none', () => ({})),
    devicesBy('vm', (index) => ({ vm: nameOf(index).vm })),
    devicesBy('host', (index) => ({ host: nameOf(index).host })),
    devicesBy('host, model, capability', (index) => ({ host: nameOf(index).host, model: igb, capability: pasid })),
    devicesBy('model', () => ({ model: igb })),
    devicesBy('capability', () => ({ capability: pasid })),
    devicesBy('layoutDigest', () => ({ layoutDigest })),
    devicesBy('layoutDigest, host', (index) => ({ layoutDigest, host: nameOf(index).host })),
    devicesBy('verdict', () => ({ verdict: 'obeys-with-knob' })),
    devicesBy('verdict, model', () => ({ verdict: 'obeys-with-knob', model: igb })),
    devicesBy('model, capability: fits none', () => ({ model: xhci, capability: sriov })),
    devicesBy('capability: fits none', () => ({ capability: serial })),
    devicesBy('verdict: fits none', () => ({ verdict: 'exact', capability: pasid })),
    devicesBy('state: fits none', () => ({ state: 'detached' })),
    functionsBy('none', () => ({})),
    functionsBy('host', (index) => ({ host: nameOf(index).host })),
    functionsBy('vm', (index) => ({ vm: nameOf(index).vm })),
    functionsBy('model, claimed', () => ({ model: igb, claimed: true })),
    functionsBy('capability: fits none', () => ({ capability: pasid })),
    functionsBy('claimed: fits none', () => ({ claimed: false })),
    clashesBy('none', () => ({})),
    clashesBy('kind', () => ({ kind: 'layout-endangered' })),
    clashesBy('host', (index) => ({ host: nameOf(index).host })),
    clashesBy('vm, kind', (index) => ({ vm: nameOf(index).vm, kind: 'layout-endangered' })),
    clashesBy('kind: fits none', () => ({ kind: 'stated-pf-is-no-pf' })),
  ];
}

function pathTo(list: string, filter: (index: number) => object): Question['path'] {
  return (index) => {
    const given = Object.entries(filter(index)).map(([name, value]) => [name, String(value)]);
    return `/v1/${list}?${new URLSearchParams([...given, ['limit', String(pageSize)]]).toString()}`;
  };
}

const [igb, xhci] = [Model.of(0x8086, 0x10c9), Model.of(0x1b36, 0x000d)];
const pasid = CapabilityName.of('extended', 0x1b);
const sriov = CapabilityName.of('extended', 0x10);
const serial = CapabilityName.of('extended', 0x03);

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
  const asked = questions(await digestIn(views));
  const own: (readonly number[])[] = [];
  for (const { ask } of asked) own.push(await times((index) => ask(views, index)));
  await views.close();
  await store.close();
  const { overHttp, firstPageMillis } = await askServer(directory, asked);
  rmSync(directory, { recursive: true });
  const lists = asked.map(({ name }, index) => (
    { filter: name, ...figures(own[index]), overHttp: figures(overHttp[index]) }));
  return { devices, lists, rebuiltPerSecond, firstPageMillis };
}

/** The layout of one of the devices, and of thousands of others. */
async function digestIn(views: Views): Promise<string> {
  const listed = await views.devices({}, '', 1);
  const digest = listed.kind === 'listed' ? listed.rows[0]?.layoutDigest : undefined;
  if (!digest) throw new Error('the first device of the benchmark has no layout');
  return digest;
}

async function askServer(
  directory: string, asked: readonly Question[],
): Promise<{ readonly overHttp: readonly (readonly number[])[]; readonly firstPageMillis: number }> {
  const server = await serve(directory);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const start = performance.now();
  await fetched(server.port, agent, '/v1/devices');
  const firstPageMillis = performance.now() - start;
  const overHttp: (readonly number[])[] = [];
  for (const { path } of asked) overHttp.push(await times((index) => fetched(server.port, agent, path(index))));
  agent.destroy();
  await server.stop();
  return { overHttp, firstPageMillis };
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
function afterOf(list: 'device' | 'function', index: number): string {
  const { vm, host } = nameOf(index);
  return index % 2 === 0 ? '' : `${list}-${list === 'device' ? vm : host}/`;
}

/** Milliseconds of each question; which device it is about walks over the whole fleet. */
async function times(ask: (index: number) => Promise<unknown>): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let question = 0; question < questionsEach; question += 1) {
    const start = performance.now();
    await ask((question * 7_919) % devices);
    taken.push(performance.now() - start);
  }
  return taken;
}

function figures(taken: readonly number[] = []): { readonly p50Millis: number; readonly p99Millis: number } {
  return { p50Millis: percentile(taken, 0.5), p99Millis: percentile(taken, 0.99) };
}
