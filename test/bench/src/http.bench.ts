import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import { replay } from '@cadastre/ledger';
import { percentile } from './measure.js';

const sample = readFileSync(new URL('../../../samples/nvme-vf.lspci', import.meta.url), 'utf8');

export interface LoadFigures {
  readonly connections: number;
  readonly attachesPerSecond: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
}

export interface ReplayFigures {
  readonly events: number;
  readonly eventsPerSecond: number;
}

export interface HttpFigures {
  readonly loads: readonly LoadFigures[];
  readonly replay: ReplayFigures;
}

/** Attaches over loopback, each durable before its answer; every one to a function of its own. */
export async function benchHttp(seconds: number): Promise<HttpFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'cadastre-bench-'));
  const server = await serve(directory);
  const loads: LoadFigures[] = [];
  for (const connections of [1, 64]) loads.push(await load(server.port, connections, seconds));
  await server.stop();
  const store = await SqliteEventStore.openReadOnly(directory);
  const start = performance.now();
  const { events } = await replay(store);
  const eventsPerSecond = (events * 1000) / (performance.now() - start);
  await store.close();
  rmSync(directory, { recursive: true });
  return { loads, replay: { events, eventsPerSecond } };
}

export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/** `cadastre serve` as a process of its own, as an operator runs it: the load does not share its thread. */
export function serve(directory: string): Promise<Server> {
  const bin = fileURLToPath(new URL('../../../apps/cli/bin/cadastre.mjs', import.meta.url));
  const child = spawn(bin, ['serve', '--data', directory, '--port', '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    child.stdout.once('data', (chunk: Buffer) => resolve({
      port: Number(new URL(chunk.toString('utf8').trim()).port),
      stop: () => {
        child.kill('SIGTERM');
        return ended;
      },
    }));
  });
}

/** Registers functions first, outside the clock, then attaches them from `connections` clients. */
async function load(port: number, connections: number, seconds: number): Promise<LoadFigures> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const post = poster(port, agent);
  const ready = connections === 1 ? 1_500 * seconds : 6_000 * seconds;
  const addresses = Array.from({ length: ready }, (_, index) => addressOf(index));
  const host = `host-${connections}`;
  await inParallel(Math.max(connections, 32), addresses, (address) => post('/v1/functions', {
    host, address, configSpace: { encoding: 'lspci', data: sample.replace(/^\S+/, address) },
    kernel: { release: '7.2.13', flavour: 'upstream' }, sriov: { role: 'vf' },
    iommu: { maxPasidLog2: 16, exec: false, priv: true, atsSupported: true },
  }, `look-${host}-${address}`));
  const times: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  await inParallel(connections, addresses, async (address, index) => {
    const sent = performance.now();
    if (sent > end) return;
    await post(`/v1/vms/vm-${connections}-${index}/devices/d/attach`, {
      function: { host, address }, capabilities: [{ name: 'pasid' }],
    }, `attach-${host}-${address}`);
    times.push(performance.now() - sent);
  });
  const elapsed = Math.min(performance.now(), end) - start;
  agent.destroy();
  return {
    connections, attachesPerSecond: (times.length * 1000) / elapsed,
    p50Millis: percentile(times, 0.5), p99Millis: percentile(times, 0.99),
  };
}

/** The index-th function address of a host: 256 buses of 32 devices of 8 functions, then the next segment. */
function addressOf(index: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${hex(index >> 16, 4)}:${hex((index >> 8) & 0xff, 2)}:${hex((index >> 3) & 0x1f, 2)}.${index & 7}`;
}

async function inParallel<Item>(
  workers: number, items: readonly Item[], work: (item: Item, index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: workers }, async () => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) await work(item, index);
    }
  }));
}

function poster(port: number, agent: Agent): (path: string, body: unknown, key: string) => Promise<void> {
  return (path, body, key) => new Promise((resolve, reject) => {
    const payload = Buffer.from(JSON.stringify(body));
    const sent = request({
      port, path, agent, host: '127.0.0.1', method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': payload.length, 'idempotency-key': key },
    }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        if (response.statusCode !== 201) text += chunk.toString('utf8');
      });
      response.on('end', () => {
        if (response.statusCode === 201) resolve();
        else reject(new Error(`${path} answered ${response.statusCode}: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(payload);
  });
}
