// Plain JavaScript for any Node from 20 on: this runs before the workspace has its own Node.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const stamp = join(root, 'node_modules', '.cadastre-installed');
const oldestNode = 20;

/** The environment in which `node`, `nx` and the rest are the workspace's own. */
export const environment = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  NX_NO_CLOUD: 'true',
  NX_TUI: 'false',
};

/** Installs the npm packages when they are missing or are not those of the lock file. */
export function ensureInstalled() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < oldestNode) fail(`this needs Node ${oldestNode} or newer to begin with; this is ${process.version}`);
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('installing the npm packages of package-lock.json (once, about half a minute) ...');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--no-progress', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail('npm ci failed; the reason is above. Is the npm registry reachable?');
  const own = spawnSync(join(bin, 'node'), ['--version'], { encoding: 'utf8' });
  if (own.status !== 0) fail('the workspace\'s own Node does not start; npm ci brings it as package "node"');
  writeFileSync(stamp, lock);
}

/** Runs a command of the workspace and answers whether it went well. */
export function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: environment, ...options });
  return status === 0;
}

export function fail(message) {
  console.error(`cadastre: ${message}`);
  process.exit(1);
}
