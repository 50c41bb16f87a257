import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type AddressInfo } from 'node:net';
import { attachBody, look, TestServer } from '../testing.js';

/** Each race takes six requests. */
const races = 200;

/** A client with one connection of its own. */
class Client {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private keys = 0;

  constructor(readonly name: string, private readonly port: number) {}

  async post(path: string, body: object, headers: Record<string, string> = {}): Promise<readonly [number, unknown]> {
    this.keys += 1;
    const key = `${this.name}-${this.keys}`;
    const sent = request({
      host: '127.0.0.1', port: this.port, path, method: 'POST', agent: this.agent,
      headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    });
    sent.end(JSON.stringify(body));
    const [response] = await once(sent, 'response') as [NodeJS.ReadableStream & { statusCode: number }];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return [response.statusCode, (JSON.parse(text) as { code?: unknown }).code];
  }

  close(): void {
    this.agent.destroy();
  }
}

describe('two clients with a connection each', () => {
  it(`race for one function ${races} times, and exactly one of them gets it`, async () => {
    const server = await TestServer.open();
    await server.app.listen(0, '127.0.0.1');
    const { port } = server.app.getHttpServer().address() as AddressInfo;
    await server.post('/v1/functions', look());
    const clients = ['one', 'two'].map((name) => new Client(name, port));
    const won = new Set<string>();
    for (let race = 0; race < races; race += 1) {
      const asked = race % 2 === 0 ? clients : clients.toReversed();
      const answers = await Promise.all(asked.map(async (client) => {
        const device = `/v1/vms/vm-${client.name}-${race}/devices/nic0`;
        return { client, device, answer: await client.post(`${device}/attach`, attachBody) };
      }));
      expect(answers.map(({ answer }) => answer).sort(([a], [b]) => a - b))
        .toEqual([[201, undefined], [409, 'function-claimed']]);
      const winner = answers.find(({ answer: [status] }) => status === 201);
      if (!winner) throw new Error('nobody won');
      won.add(winner.client.name);
      expect(await winner.client.post(`${winner.device}/detach`, {}, { 'if-match': '*' })).toEqual([200, undefined]);
    }
    expect([...won].sort()).toEqual(['one', 'two']);
    expect(await server.events()).toBe(2 + 5 * races);
    for (const client of clients) client.close();
    await server.close();
  }, 60_000);
});
