import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { cadastre, LedgerProcess, temporaryDirectory } from './ledger-process.js';
import { sampleLook } from './samples.js';

const rounds = 4;

describe('the lists of a ledger that is killed again and again', () => {
  const directory = temporaryDirectory();
  afterAll(() => directory.remove());
  const check = (): object => {
    const { status, stderr } = cadastre(['views', 'check', '--data', directory.path]);
    return { status, stderr };
  };

  it('are what the events give, before and after they have caught up', async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const ledger = await LedgerProcess.start(directory.path);
      const killed = new Promise((resolve) => setTimeout(resolve, 100 + 40 * round))
        .then(() => ledger.stop('SIGKILL'));
      const register = async (client: number): Promise<void> => {
        for (let step = 0; ; step += 1) {
          const host = `host-${round}-${client}-${step}`;
          const { status } = await ledger.post('/v1/functions', host, sampleLook('nvme-vf.lspci', host));
          if (status === 201) acknowledged.push(host);
          await ledger.get('/v1/functions?limit=1');
        }
      };
      // Ends when the connection does.
      await Promise.all([0, 1, 2, 3].map((client) => register(client).catch(() => undefined)));
      expect(await killed).toBe('SIGKILL');
      expect(check()).toEqual({ status: 0, stderr: '' });
    }
    const ledger = await LedgerProcess.start(directory.path);
    for (const host of acknowledged) {
      const { body } = await ledger.get(`/v1/functions?host=${host}`);
      expect(body).toMatchObject({ functions: [{ host }], next: null });
    }
    expect(check()).toEqual({ status: 0, stderr: '' });
    expect(acknowledged.length).toBeGreaterThan(rounds);
    expect(await ledger.stop('SIGTERM')).toBe(0);
    // Ten processes are started: a busy machine takes seconds for each.
  }, 120_000);
});

describe('cadastre views', () => {
  const directory = temporaryDirectory();
  const views = (command: string, ...options: readonly string[]): ReturnType<typeof cadastre> =>
    cadastre(['views', command, '--data', directory.path, ...options]);
  beforeAll(async () => {
    const ledger = await LedgerProcess.start(directory.path);
    await ledger.post('/v1/functions', 'a', sampleLook('nvme-vf.lspci'));
    await ledger.get('/v1/functions');
    await ledger.stop('SIGTERM');
  });
  afterAll(() => directory.remove());

  const meddle = (sql: string): void => {
    const db = new DatabaseSync(join(directory.path, 'views.sqlite'));
    db.exec(sql);
    db.close();
  };

  it('check finds a row that no event gave, and rebuild mends it', () => {
    meddle('UPDATE function_kind SET model = \'8086:10d3\'');
    const found = views('check');
    expect(found.status).toBe(10);
    expect(found.stderr).toContain('views rebuild');
    const rebuilt = views('rebuild', '--json');
    expect(rebuilt.status).toBe(0);
    expect(JSON.parse(rebuilt.stdout)).toMatchObject({
      events: 2, rows: { functions: 1, devices: 0, clashes: 0 }, halted: [],
    });
    expect(views('check').status).toBe(0);
  });

  it('check says that there are none, or none it can read', () => {
    meddle('PRAGMA user_version = 99');
    expect(views('check')).toMatchObject({ status: 74, stdout: '' });
    expect(cadastre(['views', 'check', '--data', '/nowhere']).status).toBe(74);
  });

  it.each(['check', 'rebuild'])('%s makes no ledger where there is none', (command) => {
    const [empty, missing] = [temporaryDirectory(), join(directory.path, 'missing')];
    for (const path of [empty.path, missing]) {
      const { status, stderr } = cadastre(['views', command, '--data', path]);
      expect([status, stderr]).toEqual([74, expect.stringContaining(`There is no ledger in ${path}`) as string]);
    }
    expect([readdirSync(empty.path), existsSync(missing)]).toEqual([[], false]);
    empty.remove();
  });

  it('of another version are built anew by the next server', async () => {
    meddle('PRAGMA user_version = 99');
    const ledger = await LedgerProcess.start(directory.path);
    expect((await ledger.get('/v1/functions')).body).toMatchObject({ functions: [{ host: 'host-a' }] });
    const refused = views('rebuild');
    expect(refused.status).toBe(4);
    await ledger.stop('SIGTERM');
    expect(views('check').status).toBe(0);
  });
});

describe('cadastre views of a damaged ledger', () => {
  const directory = temporaryDirectory();
  const ledgerFile = join(directory.path, 'ledger.db');
  const views = (command: string): ReturnType<typeof cadastre> =>
    cadastre(['views', command, '--data', directory.path]);
  beforeAll(async () => {
    const ledger = await LedgerProcess.start(directory.path);
    await ledger.post('/v1/functions', 'a', sampleLook('nvme-vf.lspci'));
    await ledger.get('/v1/functions');
    await ledger.stop('SIGTERM');
    copyFileSync(ledgerFile, `${ledgerFile}.whole`);
    const db = new DatabaseSync(ledgerFile);
    // Not the newest: opening a ledger looks at that one.
    db.exec(`UPDATE event SET data = CAST(replace(CAST(data AS TEXT), 'host-a', 'host-b') AS BLOB)
      WHERE position = 0`);
    db.close();
  });
  afterAll(() => directory.remove());

  it.each(['check', 'rebuild'])('%s names the event that is damaged, as a replay does', (command) => {
    const { status, stderr } = cadastre(['replay', '--data', directory.path]);
    expect([status, stderr]).toEqual([10, expect.stringContaining('The data of event 0 (') as string]);
    expect(views(command)).toEqual({ status: 10, stdout: '', stderr });
  });

  it('rebuild leaves the lists that were there, and nothing beside them', () => {
    const files = readdirSync(directory.path);
    expect(views('rebuild').status).toBe(10);
    expect(readdirSync(directory.path)).toEqual(files);
    copyFileSync(`${ledgerFile}.whole`, ledgerFile);
    const stdout = expect.stringContaining('what 2 events give') as string;
    expect(views('check')).toMatchObject({ status: 0, stdout });
  });
});
