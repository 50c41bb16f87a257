// npm test: everything that judges this repository, and one line that sums it up.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, root, run } from './workspace.mjs';

ensureInstalled();
ensureLspci();
const projects = ['apps', 'libs', 'plugins', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((one) => one.isDirectory())
    .map((one) => join(root, folder, one.name)));
for (const project of projects) rmSync(resultsOf(project), { force: true });

const steps = [
  ['lint, typecheck, build', ['lint', 'typecheck', 'build']],
  ['unit tests', ['test']],
  ['corpus and architecture', ['judge'], '--parallel=1'],
  ['end to end', ['e2e'], '--parallel=1'],
];
const broken = [];
for (const [name, targets, ...options] of steps) {
  console.log(`\n=== ${name}`);
  if (!run('nx', ['run-many', '-t', ...targets, '--outputStyle=static', '--nxBail=false', ...options])) broken.push(name);
}

let passed = 0;
let failed = 0;
const skipped = [];
for (const project of projects) {
  if (!existsSync(resultsOf(project))) continue;
  const results = JSON.parse(readFileSync(resultsOf(project), 'utf8'));
  passed += results.numPassedTests;
  // A test file that does not even load has no tests to count.
  failed += results.numFailedTests + results.numRuntimeErrorTestSuites;
  for (const file of results.testResults) {
    for (const one of file.assertionResults) {
      if (one.status === 'pending' || one.status === 'todo') skipped.push(one.fullName);
    }
  }
}
if (skipped.length > 0) console.log(`\nskipped:\n${skipped.map((one) => `  ${one}`).join('\n')}`);
if (failed === 0) failed = broken.length;
if (broken.length > 0) console.log(`\nfailed: ${broken.join('; ')}`);
console.log(`Total: ${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exit(failed > 0 || broken.length > 0 || passed === 0 ? 1 : 0);

function resultsOf(project) {
  return join(project, 'test-results.json');
}

/** The installed lspci judges us. Root on Debian can have it; anybody else gets tests that say why they skip. */
function ensureLspci() {
  const found = () => spawnSync('lspci', ['--version']).status === 0;
  if (found()) return;
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    console.error('installing pciutils, whose lspci is a judge of these tests ...');
    const quiet = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    spawnSync('apt-get', ['update'], quiet);
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'pciutils'], quiet);
  }
  if (!found()) console.error('no lspci here: install pciutils to run the tests that compare with it');
}
