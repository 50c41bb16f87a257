import { cadastre, LedgerProcess, temporaryDirectory } from './ledger-process.js';
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

describe('a ledger that is killed again and again under load', () => {
  const rounds = 8;

  it('never loses what it acknowledged and never does anything twice', async () => {
    const directory = temporaryDirectory();
    const acknowledged = new Map<string, unknown>();
    try {
      for (let round = 0; round < rounds; round += 1) {
        const ledger = await LedgerProcess.start(directory.path);
        await ledger.post('/v1/functions', 'look', sampleLook('nvme-vf.lspci'));
        const killed = new Promise((resolve) => setTimeout(resolve, 100 + 60 * round))
          .then(() => ledger.stop('SIGKILL'));
        await writeUntilGone(ledger, round, acknowledged);
        await killed;
      }
      const ledger = await LedgerProcess.start(directory.path);
      for (const [path, body] of acknowledged) expect((await ledger.get(path)).body).toEqual(body);
      await ledger.stop('SIGTERM');
      const replayed = JSON.parse(cadastre(['replay', '--data', directory.path, '--json']).stdout) as {
        devices: readonly { stream: string }[];
      };
      expect(acknowledged.size).toBeGreaterThan(rounds);
      const stored = replayed.devices.map((one) => one.stream);
      // One request of each round may have been stored without its answer arriving.
      expect(stored.length).toBeLessThanOrEqual(acknowledged.size + rounds * clients);
      for (const path of acknowledged.keys()) expect(stored).toContain(streamOf(path));
    } finally {
      directory.remove();
    }
  }, 60_000);
});

const clients = 8;

/** `/v1/vms/a/devices/b` is kept in `device-a/b`. */
function streamOf(path: string): string {
  return `device-${path.slice('/v1/vms/'.length).replace('/devices/', '/')}`;
}

/** Attaches and detaches one VF for ever, from eight clients, until the server is gone; notes what was answered. */
async function writeUntilGone(ledger: LedgerProcess, round: number, acknowledged: Map<string, unknown>): Promise<void> {
  const client = async (number: number): Promise<void> => {
    for (let turn = 0; ; turn += 1) {
      const path = `/v1/vms/vm-${round}-${number}-${turn}/devices/d`;
      try {
        const attached = await ledger.post(`${path}/attach`, path, { ...nvmeVf, capabilities: [] });
        if (attached.status !== 201) continue;
        acknowledged.set(path, attached.body);
        const etag = attached.headers.get('etag') ?? '';
        const detached = await ledger.post(`${path}/detach`, `${path}/detach`, {}, { 'if-match': etag });
        if (detached.status === 200) acknowledged.set(path, detached.body);
      } catch {
        // The connection died with the server: that request has no answer to hold it to.
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
}
