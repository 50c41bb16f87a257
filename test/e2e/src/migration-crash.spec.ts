import { cadastre, LedgerProcess, type Reply, temporaryDirectory } from './ledger-process.js';
import { sampleIndex, sampleLook } from './samples.js';

const vm = '/v1/vms/vm-1';
const plan = {
  target: { host: 'host-b', functions: { nic0: addressOf('nic-v1.lspci'), nvme0: addressOf('nvme-vf.lspci') } },
};

function addressOf(file: string): string {
  return sampleIndex.functions.find((one) => one.file === file)?.address ?? '';
}

/** One request; `id` is that of the migration, once it is planned. */
interface Step {
  readonly name: string;
  readonly path: (id: string) => string;
  readonly body: unknown;
  readonly match?: string;
}

const looks: readonly Step[] = ['host-a', 'host-b'].flatMap((host) =>
  ['nic-v1.lspci', 'nvme-pf.lspci', 'nvme-vf.lspci'].map((file) =>
    ({ name: `${host}-${file}`, path: () => '/v1/functions', body: sampleLook(file, host) })));
const attach = (device: string, file: string, capabilities: readonly object[]): Step => ({
  name: `attach-${device}`, path: () => `${vm}/devices/${device}/attach`,
  body: { function: { host: 'host-a', address: addressOf(file) }, capabilities, vmm: { name: 'generic' } },
});
const enable: Step = {
  name: 'enable', path: () => `${vm}/devices/nvme0/pasids/enable`, match: '"1"', body: {
    platform: { viommuSsidBits: 16, ports: [{ address: '0000:00:01.0', endEndTlpPrefix: true }] } },
};
const beginning: readonly Step[] = [
  ...looks, attach('nic0', 'nic-v1.lspci', [{ name: 'pasid' }]), attach('nvme0', 'nvme-vf.lspci', [{ name: 'pasid' }]),
  enable,
];
const planned: Step = { name: 'plan', path: () => `${vm}/migrations`, body: plan };
const step = (name: string, revision: number): Step =>
  ({ name, path: (id) => `${vm}/migrations/${id}/${name}`, body: {}, match: `"${revision}"` });
const completed = [planned, step('prepare', 0), step('complete', 1)];
const aborted = [planned, step('prepare', 0), step('abort', 1)];

/** The key of a request is the name of its step. */
function ask(ledger: LedgerProcess, { name, path, body, match }: Step, id: string): Promise<Reply> {
  return ledger.post(path(id), `story-${name}`, body, match === undefined ? {} : { 'if-match': match });
}

/** One ledger whose process is killed around the steps of a migration. */
class Story {
  private id = '';

  private constructor(private readonly directory: string, private ledger: LedgerProcess) {}

  /**
   * Tells a story from its beginning; answers what is there in the end.
   * @param killedAt the steps under which the process is killed, and again when they are answered
   */
  static async tell(steps: readonly Step[], killedAt: readonly string[]): Promise<object> {
    const directory = temporaryDirectory();
    try {
      const story = new Story(directory.path, await LedgerProcess.start(directory.path));
      for (const one of beginning) await story.done(one);
      for (const one of steps) await (killedAt.includes(one.name) ? story.doneThroughKills(one) : story.done(one));
      return await story.end();
    } finally {
      directory.remove();
    }
  }

  private async done(one: Step): Promise<Reply> {
    const reply = await ask(this.ledger, one, this.id);
    if (reply.status >= 300) throw new Error(`${one.name}: ${reply.status} ${JSON.stringify(reply.body)}`);
    if (one.name === 'plan') this.id = (reply.body as { id: string }).id;
    return reply;
  }

  private async doneThroughKills(one: Step): Promise<void> {
    for (const isAnswered of [false, true]) await this.dieUnder(one, isAnswered);
    const first = await this.done(one);
    await this.restart();
    // Whoever did not hear the answer asks again.
    expect((await this.done(one)).body).toEqual(first.body);
  }

  /**
   * Several ask for the same at once when the process is killed; a plan has no name but its key, a step has one.
   * @param isAnswered whether one of them has its answer by then
   */
  private async dieUnder(one: Step, isAnswered: boolean): Promise<void> {
    const another = one.name === 'plan' ? one : { ...one, name: `${one.name}-of-another` };
    const asked = [one, another, one, another].map((each) =>
      // Without an answer it died with the server: nobody is held to it.
      ask(this.ledger, each, this.id).catch(() => undefined));
    if (isAnswered) await Promise.race(asked);
    await this.restart();
    await Promise.all(asked);
  }

  private async restart(): Promise<void> {
    await this.ledger.stop('SIGKILL');
    this.ledger = await LedgerProcess.start(this.directory);
  }

  private async end(): Promise<object> {
    const devices = await Promise.all(['nic0', 'nvme0'].map(async (device) =>
      (await this.ledger.get(`${vm}/devices/${device}`)).body));
    const { functions } = (await this.ledger.get('/v1/functions')).body as { functions: readonly object[] };
    const migration = (await this.ledger.get(`${vm}/migrations/${this.id}`)).body;
    expect(await this.ledger.stop('SIGTERM')).toBe(0);
    const replayed = cadastre(['replay', '--data', this.directory, '--json']);
    expect([replayed.status, replayed.stderr]).toEqual([0, '']);
    // Every event tells when it was recorded, so the digest of the whole log is that of this run alone.
    const told = JSON.parse(replayed.stdout) as object;
    return { devices, functions, migration, replayed: { ...told, ledgerDigest: null } };
  }
}

describe('a migration of two devices whose ledger is killed with SIGKILL', () => {
  it.each([
    ['at every step, is completed', completed, ['plan', 'prepare', 'complete']],
    ['while it gives up, is aborted', aborted, ['abort']],
  ])('%s as without a kill: devices, claims, digests, and not one event more', async (_, steps, killedAt) => {
    expect(await Story.tell(steps, killedAt)).toEqual(await Story.tell(steps, []));
    // Some twenty processes are started: a busy machine takes seconds for each.
  }, 240_000);
});
