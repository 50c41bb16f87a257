import { cadastre, LedgerProcess, temporaryDirectory } from './ledger-process.js';
import { nvmeVf, sampleLook } from './samples.js';

const device = '/v1/vms/vm-1/devices/nvme0';

describe('a ledger on disk', () => {
  const directory = temporaryDirectory();
  let ledger: LedgerProcess;
  beforeAll(async () => {
    ledger = await LedgerProcess.start(directory.path);
  });
  afterAll(async () => {
    await ledger.stop('SIGTERM');
    directory.remove();
  });

  const replayed = (...args: readonly string[]) => cadastre(['replay', '--data', directory.path, '--json', ...args]);

  it('tells the past as it was told then, over HTTP and by replay, by position and by instant', async () => {
    await ledger.post('/v1/functions', 'look', sampleLook('nvme-vf.lspci'));
    const attached = await ledger.post(`${device}/attach`, 'attach', nvmeVf);
    const position = attached.headers.get('cadastre-position') ?? '';
    const bytes = (await ledger.get(`${device}/config-space`)).body;
    const then = replayed().stdout;
    const { events } = (await ledger.get(`${device}/history`)).body as { events: { recordedAt: string }[] };
    const instant = events.at(-1)?.recordedAt ?? '';
    // The next event is recorded in another millisecond.
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await ledger.post(`${device}/detach`, 'detach', {}, { 'if-match': '"1"' })).status).toBe(200);

    for (const at of [position, instant]) {
      const past = await ledger.get(`${device}?at=${at}`);
      expect(past.body).toEqual(attached.body);
      expect([past.headers.get('etag'), past.headers.get('cadastre-position')]).toEqual(['"1"', position]);
      expect((await ledger.get(`${device}/config-space?at=${at}`)).body).toBe(bytes);
      expect((await ledger.get(`/v1/vms/vm-1/replay?at=${at}`)).body).toMatchObject({ equal: true });
      expect(replayed('--at', at)).toEqual({ status: 0, stdout: then, stderr: '' });
    }
    expect(replayed().stdout).not.toBe(then);
  });

  it('tells one VM by its name, the digest of the ledger being the same', () => {
    const of = (...args: readonly string[]): { ledgerDigest: string; devices: readonly { stream: string }[] } =>
      JSON.parse(replayed(...args).stdout) as ReturnType<typeof of>;
    expect(of('--vm', 'vm-1')).toEqual(of());
    expect(of('--vm', 'vm-1').devices.map(({ stream }) => stream)).toEqual(['device-vm-1/nvme0']);
    expect(replayed('--vm', 'vm')).toMatchObject({ status: 3, stderr: expect.stringContaining('vm') as string });
    expect(replayed('--vm', '/').status).toBe(2);
  });

  it('has no future, and takes no moment that is none', () => {
    expect(replayed('--at', '99')).toMatchObject({ status: 3, stderr: expect.stringContaining('to 6') as string });
    expect(replayed('--at', 'yesterday').status).toBe(2);
  });
});
