import { cadastre, LedgerProcess, type Reply, temporaryDirectory } from './ledger-process.js';
import { nvmeVf, sampleLook } from './samples.js';

const device = '/v1/vms/vm-1/devices/nvme0';

interface Device {
  readonly guestConfigSpaceDigest: string;
  readonly layout: { readonly digest: string };
}

describe('a ledger that is killed with SIGKILL', () => {
  const directory = temporaryDirectory();
  afterAll(() => directory.remove());

  it('has every acknowledged attach, the same layout and the same digest when it is back', async () => {
    const before = await LedgerProcess.start(directory.path);
    expect((await before.post('/v1/functions', 'look', sampleLook('nvme-vf.lspci'))).status).toBe(201);
    const attached = await before.post(`${device}/attach`, 'attach', nvmeVf);
    expect(attached.status).toBe(201);
    const bytes = (await before.get(`${device}/config-space`)).body;
    expect(await before.stop('SIGKILL')).toBe('SIGKILL');

    const after = await LedgerProcess.start(directory.path);
    const again = await after.get(device);
    expect(again.body).toEqual(attached.body);
    expect(again.headers.get('etag')).toBe('"1"');
    expect((await after.get(`${device}/config-space`)).body).toBe(bytes);
    const retried = await after.post(`${device}/attach`, 'attach', nvmeVf);
    expect(retried.headers.get('idempotency-replayed')).toBe('true');
    expect(retried.body).toEqual(attached.body);
    expect(await after.stop('SIGTERM')).toBe(0);
  });

  it('replays to equal digests, again and again, and to those the server told', async () => {
    const first = cadastre(['replay', '--data', directory.path, '--json']);
    const second = cadastre(['replay', '--data', directory.path, '--json']);
    expect(first.status).toBe(0);
    expect(second.stdout).toBe(first.stdout);
    const server = await LedgerProcess.start(directory.path);
    const { guestConfigSpaceDigest, layout } = (await server.get(device)).body as Device;
    await server.stop('SIGTERM');
    expect(JSON.parse(first.stdout)).toMatchObject({
      events: 5, devices: [{ stream: 'device-vm-1/nvme0', guestConfigSpaceDigest, layoutDigest: layout.digest }],
    });
  });
});

/** One request that was answered, and how: what the ledger is held to for ever. */
interface Acknowledged {
  readonly path: string;
  readonly key: string;
  readonly body: unknown;
  readonly headers: Record<string, string>;
  readonly answer: unknown;
}

const rounds = 8;
const clients = 8;

describe('a ledger that is killed again and again under load', () => {
  it('never loses what it acknowledged and never does anything twice', async () => {
    const directory = temporaryDirectory();
    const acknowledged: Acknowledged[] = [];
    try {
      for (let round = 0; round < rounds; round += 1) {
        const ledger = await LedgerProcess.start(directory.path);
        const killed = new Promise((resolve) => setTimeout(resolve, 100 + 60 * round))
          .then(() => ledger.stop('SIGKILL'));
        await writeUntilGone(ledger, round, acknowledged);
        await killed;
      }
      expect(acknowledged.length).toBeGreaterThan(rounds * clients);
      const events = replayed(directory.path).events;
      const ledger = await LedgerProcess.start(directory.path);
      for (const { path, key, body, headers, answer } of acknowledged) {
        const again = await ledger.post(path, key, body, headers);
        expect(again.headers.get('idempotency-replayed')).toBe('true');
        expect(again.body).toEqual(answer);
      }
      await ledger.stop('SIGTERM');
      // Asking for every answer again recorded nothing: no request was done twice, and none was missing.
      expect(replayed(directory.path).events).toBe(events);
    } finally {
      directory.remove();
    }
  }, 60_000);
});

function replayed(directory: string): { readonly events: number } {
  return JSON.parse(cadastre(['replay', '--data', directory, '--json']).stdout) as { events: number };
}

/** Eight clients, each with a VF of its own, attach and detach it until the server is gone. */
async function writeUntilGone(ledger: LedgerProcess, round: number, acknowledged: Acknowledged[]): Promise<void> {
  /** A request without an answer died with the server; nobody is held to it. */
  const post = async (
    path: string, body: unknown, status: number, headers: Record<string, string> = {},
  ): Promise<Reply | undefined> => {
    const key = `${round}:${path}:${JSON.stringify(body)}`.slice(0, 200).replaceAll(' ', '');
    const reply = await ledger.post(path, key, body, headers).catch(() => undefined);
    if (reply === undefined) return undefined;
    expect(reply.status).toBe(status);
    acknowledged.push({ path, key, body, headers, answer: reply.body });
    return reply;
  };
  const client = async (number: number): Promise<void> => {
    const host = `host-${round}-${number}`;
    const look = await ledger.post('/v1/functions', host, sampleLook('nvme-vf.lspci', host)).catch(() => undefined);
    for (let turn = 0; look !== undefined; turn += 1) {
      const path = `/v1/vms/vm-${round}-${number}-${turn}/devices/d`;
      const attached = await post(`${path}/attach`, { ...nvmeVf, function: { ...nvmeVf.function, host } }, 201);
      if (!attached) return;
      const headers = { 'if-match': attached.headers.get('etag') ?? '' };
      if (!await post(`${path}/detach`, {}, 200, headers)) return;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
}
