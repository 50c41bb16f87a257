import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cadastre, LedgerProcess, root, temporaryDirectory } from './ledger-process.js';

const samplePath = join(root, 'samples', 'igb-pf.lspci');

describe('cadastre decode', () => {
  it('shows the capabilities of a dump with their extents', () => {
    const { status, stdout } = cadastre(['decode', samplePath]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/\[100 v1\]\s+AER\s+Advanced Error Reporting/);
    expect(stdout).toMatch(/\[160 v1\]\s+SRIOV/);
  });

  it.each([
    ['lspci text', readFileSync(samplePath)],
    ['hex digits', Buffer.from(hexOf(samplePath))],
    ['raw bytes', Buffer.from(hexOf(samplePath), 'hex')],
  ])('reads %s from standard input', (_form, input) => {
    const { status, stdout } = cadastre(['decode', '-', '--json'], input);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'cadastre.decode/1', functions: [{ vendorId: 0x8086, deviceId: 0x10c9, class: 0x020000, size: 4096 }],
    });
  });

  it('waits for a writer that is slow, and reads more than a pipe holds', () => {
    const pipe = '(sleep 0.7; for f in samples/*.lspci; do cat "$f"; echo; done) '
      + '| "$0" apps/cli/bin/cadastre.mjs decode - --brief';
    const shell = spawnSync('bash', ['-c', pipe, process.execPath], { cwd: root, encoding: 'utf8' });
    const { status, stdout, stderr } = shell;
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.match(/4096 of 4096 bytes captured/g)).toHaveLength(11);
  });

  it('reads raw bytes that are all ones: a function that is gone', () => {
    const { status, stdout } = cadastre(['decode', '-'], Buffer.alloc(4096, 0xff));
    expect([status, stdout.includes('all-ones')]).toEqual([0, true]);
  });

  it('stops at what is no dump by its size', () => {
    const { status, stderr } = cadastre(['decode', '/dev/zero']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('more than 268435456 bytes') as unknown]);
  });

  it('says when no capability holds an offset', () => {
    const { status, stderr } = cadastre(['decode', samplePath, '--at', '0xf00']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('no capability holds 0xf00') as unknown]);
  });

  it('draws a map of who owns each byte', () => {
    const { stdout } = cadastre(['decode', samplePath, '--map']);
    expect(stdout).toMatch(/^000: #{16}$/m);
    expect(stdout).toMatch(/^A PM@40$/m);
  });

  it.each([
    ['a dump with a missing row', '00:00.0 x\n00: 00\n20: 00\n', 1, /line 3, column 1: expected/],
    ['nothing', '', 1, /no config space|no function/],
    ['prose', 'hello world\n', 1, /line 1, column 1/],
  ])('answers %s with its place', (_what, input, code, message) => {
    const { status, stderr, stdout } = cadastre(['decode', '-'], input);
    expect([status, stdout]).toEqual([code, '']);
    expect(stderr).toMatch(message);
  });

  it('says that a file is not there', () => {
    const { status, stderr } = cadastre(['decode', '/no/such/file']);
    expect(status).toBe(3);
    expect(stderr).toMatch(/cannot read \/no\/such\/file/);
  });
});

describe('cadastre', () => {
  it('helps with a command that is misspelt', () => {
    const { status, stderr } = cadastre(['decod']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/Did you mean decode/);
  });

  it.each([
    [['serve']], [['serve', '--data', 'x', '--port', '70000']], [['decode', '--colour']], [['replay']],
    [['scan', '--max-pasid-log2', '21']],
  ])('%j is a wrong use', (args) => {
    expect(cadastre(args).status).toBe(2);
  });

  it('cannot replay a ledger that is not there', () => {
    const { status, stderr } = cadastre(['replay', '--data', '/no/such/ledger']);
    expect(status).toBe(74);
    expect(stderr).toMatch(/cannot read the ledger in \/no\/such\/ledger/);
  });

  it('says when no server answers', () => {
    const { status, stderr } = cadastre(['scan', '--server', 'http://127.0.0.1:64999']);
    expect([3, 6]).toContain(status);
    expect(stderr).toMatch(/no answer from|no PCI function/);
  });

  it('pushes this machine\'s functions to a ledger and replays beside it', async () => {
    const directory = temporaryDirectory();
    const ledger = await LedgerProcess.start(directory.path);
    const pushed = cadastre(['scan', '--server', ledger.url, '--host', 'here', '--json']);
    const listed = (await ledger.get('/v1/functions')).body as { functions: readonly unknown[] };
    if (pushed.status === 0) {
      expect(listed.functions).toHaveLength((JSON.parse(pushed.stdout) as { recorded: number }).recorded);
    } else {
      expect(pushed.stderr).toMatch(/no PCI function/);
    }
    expect(cadastre(['replay', '--data', directory.path]).status).toBe(0);
    await ledger.stop('SIGTERM');
    directory.remove();
  });
});

function hexOf(path: string): string {
  const rows = readFileSync(path, 'utf8').split('\n').slice(1).filter((line) => line !== '');
  return rows.map((line) => line.slice(line.indexOf(':') + 1).replaceAll(' ', '')).join('');
}
