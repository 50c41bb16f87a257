import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo } from 'node:net';
import { TestServer } from '../testing.js';

describe('lines of JSON', () => {
  let server: TestServer;
  let port: number;
  beforeAll(async () => {
    server = await TestServer.open();
    await server.app.listen(0, '127.0.0.1');
    ({ port } = server.app.getHttpServer().address() as AddressInfo);
  });
  afterAll(() => server.close());

  /** Announces a large body, sends its beginning, and waits for the answer. */
  async function begin(path: string, type: string): Promise<readonly [number | undefined, unknown]> {
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers: {
      'content-type': type, 'content-length': 150_000_000, 'idempotency-key': 'k' } });
    sent.on('error', () => undefined);
    sent.write('{}\n');
    const [response] = await once(sent, 'response') as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    sent.destroy();
    return [response.statusCode, (JSON.parse(text) as { code?: unknown }).code];
  }

  it.each(['application/x-ndjson', 'Application/X-NDJSON; charset=utf-8'])(
    'as %s are refused before they are read where none are taken', async (type) => {
      for (const path of ['/v1/functions', '/v1/vms/vm-1/migrations', '/v1/vms/vm-1/devices/nic0/attach']) {
        expect([path, ...await begin(path, type)]).toEqual([path, 415, 'media-type-unsupported']);
      }
    });
});
