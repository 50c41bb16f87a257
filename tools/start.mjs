// npm start: install what is missing, build, and serve a ledger with something in it to look at.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureInstalled, environment, fail, root, run } from './workspace.mjs';

ensureInstalled();
console.error('building ...');
if (!run('nx', ['run-many', '-t', 'build', '--outputStyle=static'], { stdio: ['ignore', 'ignore', 'inherit'] })) {
  run('nx', ['run-many', '-t', 'build', '--outputStyle=static']);
  fail('the build failed; its messages are above');
}
const bin = join(root, 'apps/cli/bin/cadastre.mjs');
const args = ['demo', '--data', '.cadastre/demo', ...process.argv.slice(2)];
const demo = spawn(bin, args, { cwd: root, stdio: 'inherit', env: environment });
// The terminal sends Ctrl-C to both; this one waits until the ledger is closed.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && demo.kill(signal));
demo.on('exit', (code, signal) => process.exit(signal ? 1 : code ?? 1));
