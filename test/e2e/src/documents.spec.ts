import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerProcess, root, temporaryDirectory } from './ledger-process.js';

/** Documents whose `sh` blocks a reader is told to run beside `npm start`. */
const documents = [
  'README.md', 'docs/tutorial/first-layout.md', 'docs/how-to/pin-an-offset.md', 'docs/how-to/retry-safely.md',
  'docs/how-to/check-a-ledger.md', 'docs/how-to/keep-lists-right.md',
  'docs/reference/cli.md', 'docs/reference/http-api.md', 'docs/reference/events.md',
  'docs/reference/findings.md',
];

/** These run everything, this test too: the test run itself is what tries them. */
const triedElsewhere = ['npm start', 'npm test'];

/** Commands that show a refusal, and which. */
const meantToBeRefused: Readonly<Record<string, string>> = {
  [`curl -s http://127.0.0.1:8420/v1/vms/retry-vm/devices/nic0/detach -X POST -H 'Idempotency-Key: retry:careless'`]:
    'precondition-required',
};

describe.each(documents)('the commands in %s', (document) => {
  const directory = temporaryDirectory();
  let ledger: LedgerProcess;
  beforeAll(async () => {
    ledger = await LedgerProcess.start(directory.path, 'demo');
  });
  afterAll(async () => {
    await ledger.stop('SIGTERM');
    directory.remove();
  });

  it.each(commandsOf(document))('%s', (command) => {
    // The server of this test has a port and a folder of its own; everything else runs as it is written.
    const line = command
      .replaceAll('http://127.0.0.1:8420', ledger.url)
      .replaceAll('.cadastre/demo', directory.path)
      .replaceAll('.cadastre/', `${directory.path}/`);
    const { status, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', line], {
      cwd: root, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', PATH: pathWithOurNode() },
    });
    expect({ line, status, stderr: status === 0 ? '' : stderr }).toEqual({ line, status: 0, stderr: '' });
    const problem = /"type":"\/problems\/([a-z-]+)"/.exec(stdout)?.[1] ?? null;
    expect({ line, problem }).toEqual({ line, problem: meantToBeRefused[command] ?? null });
  });
});

function commandsOf(document: string): readonly string[] {
  const text = readFileSync(join(root, document), 'utf8');
  const commands = [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) => block.trim().split('\n'));
  return commands.filter((line) => !triedElsewhere.includes(line));
}

function pathWithOurNode(): string {
  return `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`;
}
