import { readFileSync } from 'node:fs';
import { Digest } from '@cadastre/device-layout';
import { EventId, MemoryEventStore, StreamName } from '@cadastre/event-store';
import { encodeEvent, type LedgerEvent } from '@cadastre/lifecycle';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { inMemory, Views } from '@cadastre/views';
import { createServer } from './create-server.js';

/** A sample's text. */
export function sample(name: string): string {
  return readFileSync(new URL(`../../../samples/${name}.lspci`, import.meta.url), 'utf8');
}

/** Bytes of a sample's rows in base64. */
export function sampleBytes(name: string): Buffer {
  const rows = sample(name).split('\n').slice(1).filter((line) => line !== '');
  return Buffer.from(rows.map((line) => line.slice(line.indexOf(':') + 1).replaceAll(' ', '')).join(''), 'hex');
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

/** One server over a store in memory, spoken to without a socket. */
export class TestServer {
  private keys = 0;

  private constructor(
    readonly app: NestFastifyApplication, readonly store: MemoryEventStore, private readonly views: Views,
  ) {}

  static async open(): Promise<TestServer> {
    const store = new MemoryEventStore();
    const clock = { now: () => new Date('2026-11-23T17:00:00.000Z') };
    const views = await Views.open(store, inMemory, () => undefined);
    const app = await createServer({ store, clock, views, onOutcomeUnknown: () => undefined });
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    return new TestServer(app, store, views);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.views.close();
    await this.store.close();
  }

  async get(url: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.reply(await this.app.inject({ method: 'GET', url, headers }));
  }

  /** POST under a fresh key, unless the headers bring one. */
  async post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    this.keys += 1;
    const sent = { 'idempotency-key': `key-${this.keys}`, 'content-type': 'application/json', ...headers };
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    return this.reply(await this.app.inject({ method: 'POST', url, headers: sent, payload }));
  }

  /** PUT under a fresh key, unless the headers bring one. */
  async put(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    this.keys += 1;
    const sent = { 'idempotency-key': `key-${this.keys}`, 'content-type': 'application/json', ...headers };
    return this.reply(await this.app.inject({ method: 'PUT', url, headers: sent, payload: JSON.stringify(body) }));
  }

  /** Begins a stream with an event that no command would record. */
  async append(stream: string, event: LedgerEvent): Promise<void> {
    const recordedAt = '2026-11-23T17:00:00.000Z';
    const envelope = { idempotencyKey: stream, requestDigest: Digest.of(stream), recordedAt };
    const data = encodeEvent({ event, envelope });
    const events = [{ id: EventId.derive(stream, 0), type: event.type, data }];
    await this.store.append([{ stream: StreamName.from(stream), expectedRevision: 'no-stream', events }]);
  }

  /** How many events are recorded. */
  async events(): Promise<number> {
    const { head } = await this.store.readAll({ limit: 1 });
    return head === 'empty' ? 0 : head + 1;
  }

  private reply(response: { statusCode: number; headers: object; body: string }): Reply {
    const headers: Readonly<Record<string, unknown>> = { ...response.headers };
    const isJson = response.body !== '' && /[/+]json/.test(String(headers['content-type']));
    return {
      status: response.statusCode,
      headers,
      body: isJson ? JSON.parse(response.body) as Record<string, unknown> : {},
      text: response.body,
    };
  }
}

/** What a host says of a function. */
export function look(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    host: 'host-a',
    address: '0000:03:00.0',
    configSpace: { encoding: 'lspci', data: sample('e1000e') },
    kernel: { release: '7.2.13', flavour: 'upstream' },
    iommu: { maxPasidLog2: 16, exec: false, priv: true, atsSupported: true },
    sriov: { role: 'none' },
    ...change,
  };
}

export const attachBody = {
  function: { host: 'host-a', address: '0000:03:00.0' },
  capabilities: [{ name: 'pasid' }],
};
