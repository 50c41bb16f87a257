import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { type Moment } from '@cadastre/ledger';
import { type Bundle, bundleBytesMax, readBundle } from '@cadastre/lifecycle';
import { LedgerClient } from '../api/ledger-client.js';
import { CommandFailed, exitCode } from '../exit-code.js';
import { readWholeInput } from '../read-whole-input.js';
import { messageOf, systemErrorCode } from '../system-error.js';
import { paint, print, printJson, say, table } from '../terminal.js';
import { ledgerUrlOf, momentOf } from './options.js';

export function addBundles(program: Command): void {
  program.command('export')
    .description('write all that is recorded of a VM into one file another ledger can check and import')
    .argument('<vm>', 'VM of the ledger')
    .requiredOption('--server <url>', 'ledger, for example http://127.0.0.1:8420', ledgerUrlOf)
    .option('--at <moment>', 'as of a position or an instant (default: now)', momentOf)
    .option('--out <file>', 'file to write (default: standard output)')
    .action(exportVm);
  program.command('verify')
    .description('check every event, digest and layout of a bundle; exits 10 at the first that is not as it was')
    .argument('<file>', 'bundle; - reads standard input')
    .option('--json', 'print as JSON')
    .action(verify);
  program.command('import')
    .description('take the devices of a bundle over into a ledger, all of them or none')
    .argument('<file>', 'bundle; - reads standard input')
    .requiredOption('--server <url>', 'ledger, for example http://127.0.0.1:8420', ledgerUrlOf)
    .option('--host <name>', 'host the devices go to')
    .option('--function <device=address>', 'function at that host for a device that was attached; once for each',
      functionOf, {})
    .option('--vmm <name>', 'VMM there, for example qemu (default: that of each device)')
    .option('--vmm-version <version>', 'its version')
    .option('--key <key>', 'idempotency key (default: a fresh one)')
    .option('--json', 'print as JSON')
    .action(importBundle);
}

/** `DEVICE=ADDRESS`, collected over every use of the option. */
function functionOf(given: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [, device, address] = /^([^=]+)=(.+)$/.exec(given) ?? [];
  if (device === undefined || address === undefined) throw new InvalidArgumentError('Say DEVICE=ADDRESS.');
  return { ...before, [device]: address };
}

async function exportVm(
  vm: string, { server, at, out }: { server: string; at?: Moment; out?: string },
): Promise<void> {
  const query = at === undefined ? '' : `?at=${encodeURIComponent(textOf(at))}`;
  const { body } = await new LedgerClient(server).get(`/v1/vms/${encodeURIComponent(vm)}/bundle${query}`);
  const text = String(body);
  const { digest, devices, events } = read('the bundle', text);
  if (out === undefined) process.stdout.write(text);
  else writeFile(out, text);
  say(`${vm}: ${devices.length} devices, ${events} events, ${digest}`);
}

function textOf(at: Moment): string {
  return at.kind === 'position' ? String(at.position) : new Date(at.instant).toISOString();
}

/** A file has its name only when it is whole. */
function writeFile(file: string, text: string): void {
  const partial = `${file}.part`;
  try {
    writeFileSync(partial, text);
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw new CommandFailed(exitCode.io, `cannot write ${file}: ${messageOf(error)}`);
  }
}

function verify(file: string, { json }: { json?: boolean }): void {
  const bundle = read(file, textIn(file));
  const { vm, position, digest, events, layouts, devices } = bundle;
  const told = devices.map(({ key, state, revision, function: was, layout }) => ({
    device: key.device, state, revision, function: was,
    layoutDigest: layout.layoutDigest, guestConfigSpaceDigest: layout.guestConfigSpaceDigest,
  }));
  if (json) return printJson({ vm, position, digest, events, layouts, devices: told });
  print(table(['device', 'state', 'function', 'revision', 'digest of guest bytes'], told.map((one) => [
    one.device, one.state, `${one.function.host}/${one.function.address}`, String(one.revision),
    one.guestConfigSpaceDigest,
  ])));
  print(`${vm} up to position ${position}: ${events} events, ${layouts} layouts rebuilt, every digest equal`);
  print(`bundle ${paint('bold', digest)}`);
}

function read(file: string, text: string): Bundle {
  const found = readBundle(linesOf(text));
  if (found.ok) return found.value;
  const { refusal } = found;
  if (refusal.kind === 'bundle-of-another-format') {
    throw new CommandFailed(exitCode.integrityFailed,
      `${file} is ${refusal.format}, this version reads ${refusal.known}`);
  }
  const place = [refusal.line === null ? '' : `line ${refusal.line}`, refusal.event ?? ''].filter((one) => one !== '');
  throw new CommandFailed(exitCode.integrityFailed, `${file}: ${place.join(', ')}: ${refusal.problem}`);
}

function textIn(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readWholeInput(file);
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    const code = systemErrorCode(error) === 'ENOENT' ? exitCode.notFound : exitCode.io;
    throw new CommandFailed(code, `cannot read ${file}: ${messageOf(error)}`);
  }
  if (bytes.length > bundleBytesMax) {
    throw new CommandFailed(exitCode.negative, `${file} has ${bytes.length} bytes, a bundle at most ${bundleBytesMax}`);
  }
  // Bytes that are none would become U+FFFD, as whatever was there before may have been.
  if (!isUtf8(bytes)) throw new CommandFailed(exitCode.integrityFailed, `${file} is not valid UTF-8`);
  return bytes.toString('utf8');
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

interface ImportOptions {
  readonly server: string;
  readonly host?: string;
  readonly function: Readonly<Record<string, string>>;
  readonly vmm?: string;
  readonly vmmVersion?: string;
  readonly key?: string;
  readonly json?: boolean;
}

interface ImportedDevice {
  readonly device: string;
  readonly state: string;
  readonly source: { readonly guestConfigSpaceDigest: string };
  readonly target: { readonly function: { readonly host: string; readonly address: string };
    readonly guestConfigSpaceDigest: string; readonly verdict: { readonly verdict: string } } | null;
}

async function importBundle(file: string, options: ImportOptions): Promise<void> {
  const text = textIn(file);
  // What is wrong with the file is told before anything is sent.
  const { vm } = read(file, text);
  const order = `${JSON.stringify({ target: targetOf(options) })}\n`;
  const { body } = await new LedgerClient(options.server).postLines(
    `/v1/vms/${vm}/imports`, options.key ?? randomUUID(), order + text);
  if (options.json) return printJson(body);
  const { devices, bundle } = body as { devices: readonly ImportedDevice[]; bundle: { digest: string } };
  print(table(['device', 'state', 'function', 'verdict', 'guest bytes'], devices.map(rowOf)));
  print(`imported ${bundle.digest}`);
}

function rowOf({ device, state, source, target }: ImportedDevice): readonly string[] {
  if (!target) return [device, state, '-', '-', source.guestConfigSpaceDigest];
  const { function: { host, address }, guestConfigSpaceDigest: digest, verdict } = target;
  const bytes = digest === source.guestConfigSpaceDigest ? 'as they were' : digest;
  return [device, state, `${host}/${address}`, verdict.verdict, bytes];
}

function targetOf({ host, function: functions, vmm, vmmVersion }: ImportOptions): object | null {
  if (Object.keys(functions).length === 0 && host === undefined) return null;
  if (host === undefined) throw new CommandFailed(exitCode.usage, '--function needs --host: the host it is of');
  return { host, functions, ...(vmm === undefined ? {} : { vmm: { name: vmm, version: vmmVersion ?? null } }) };
}
